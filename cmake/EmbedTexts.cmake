# SPDX-License-Identifier: Apache-2.0
#
# cmake -DOUTPUT=presets_data.c -DHEADER=policy/presets.h -DTYPE=Preset -DVARIABLE=presets -DFILES=a.yaml;b.yaml -P EmbedTexts.cmake
# writes a C table { name without extension, text }, ended by { NULL, NULL }.
set(table "")
foreach(file IN LISTS FILES)
    file(READ ${file} text)
    cmake_path(GET file STEM LAST_ONLY name)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\"\n                  \"" text "${text}")
    string(APPEND table "        { \"${name}\", \"${text}\" },\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nconst ${TYPE} ${VARIABLE}[] = {\n${table}        { NULL, NULL },\n};\n")
