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
endfunction()
