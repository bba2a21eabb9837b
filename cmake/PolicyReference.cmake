# SPDX-License-Identifier: Apache-2.0
#
# cmake -DGENERATE=navigator-policy-generate -DTREE=... -P PolicyReference.cmake writes the schema, and the part of the reference page between its marks.
# With -DCHECK=ON nothing is written; a difference is an error.
set(schema_file ${TREE}/policy/schema/policy.schema.json)
set(page_file ${TREE}/docs/formats/policy.md)
set(begin "<!-- generated: cmake --build build/dev -t policy-reference -->\n")
set(end "<!-- end of the generated part -->\n")

function(put file text)
    set(old "")
    if(EXISTS ${file})
        file(READ ${file} old)
    endif()
    if(NOT old STREQUAL text AND CHECK)
        message(FATAL_ERROR "${file} is not what the key table says: cmake --build build/dev -t policy-reference")
    elseif(NOT old STREQUAL text)
        file(WRITE ${file} "${text}")
    endif()
endfunction()

execute_process(COMMAND ${GENERATE} schema OUTPUT_VARIABLE schema COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${GENERATE} reference OUTPUT_VARIABLE reference COMMAND_ERROR_IS_FATAL ANY)
put(${schema_file} "${schema}")

file(READ ${page_file} page)
string(FIND "${page}" "${begin}" from)
string(FIND "${page}" "${end}" to)
if(from LESS 0 OR to LESS from)
    message(FATAL_ERROR "${page_file} has lost the marks of its generated part")
endif()
string(LENGTH "${begin}" begin_size)
math(EXPR from "${from} + ${begin_size}")
string(SUBSTRING "${page}" 0 ${from} before)
string(SUBSTRING "${page}" ${to} -1 after)
put(${page_file} "${before}\n${reference}\n${after}")
