# SPDX-License-Identifier: Apache-2.0
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka>=1.1.5)

# navigator_unit_test(NAME SOURCES ... LINK ...): one cmocka program, label `unit`, run from the top of the tree so that
# tests/data/... opens as written.
function(navigator_unit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
    add_executable(test-${name} ${arg_SOURCES})
    target_link_libraries(test-${name} PRIVATE flags-all ${arg_LINK} PkgConfig::cmocka)
    target_include_directories(test-${name} PRIVATE ${PROJECT_SOURCE_DIR})
    add_test(NAME unit/${name} COMMAND test-${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(unit/${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# navigator_fuzzer(NAME SOURCES ... LINK ...): a libFuzzer harness; corpus in tests/fuzz/corpus/NAME.
function(navigator_fuzzer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
    add_executable(fuzz-${name} ${arg_SOURCES})
    target_link_libraries(fuzz-${name} PRIVATE flags-all ${arg_LINK})
    target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
    target_include_directories(fuzz-${name} PRIVATE ${PROJECT_SOURCE_DIR})
    # the corpus, and a little around it: the harness works and nothing that was once found is back
    set(found ${CMAKE_CURRENT_BINARY_DIR}/corpus-${name}) # libFuzzer writes to the first folder
    file(MAKE_DIRECTORY ${found})
    add_test(NAME fuzz-smoke/${name}
        COMMAND fuzz-${name} -runs=5000 -max_total_time=60 ${found} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}
        WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    set_tests_properties(fuzz-smoke/${name} PROPERTIES LABELS fuzz-smoke TIMEOUT 120)
endfunction()
