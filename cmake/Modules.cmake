# SPDX-License-Identifier: Apache-2.0

# navigator_library(NAME SOURCES ... HEADERS ... LINK ...): a layer. Its headers are each compiled alone
# (CMAKE_VERIFY_INTERFACE_HEADER_SETS), includes are written from the top of the tree: "base/error.h".
function(navigator_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;LINK")
    add_library(${name} STATIC)
    target_sources(${name} PRIVATE ${arg_SOURCES}
        PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${arg_HEADERS})
    target_link_libraries(${name} PRIVATE flags-all PUBLIC ${arg_LINK})
    target_compile_definitions(${name} PUBLIC _GNU_SOURCE)
endfunction()

# navigator_program(NAME [STATIC] SOURCES ... LINK ...): a process: a thin main on top of its library. STATIC also picks the
# archives of foreign-* libraries (cmake/Libraries.cmake).
function(navigator_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC" "" "SOURCES;LINK")
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE flags-all ${arg_LINK})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    if(arg_STATIC AND NOT NAVIGATOR_SANITIZE) # the sanitizers have no static run-time
        set_target_properties(${name} PROPERTIES NAVIGATOR_STATIC ON)
        set_property(TARGET ${name} PROPERTY POSITION_INDEPENDENT_CODE) # unset: its -pie would win over -static-pie
        target_compile_options(${name} PRIVATE -fPIE)
        target_link_options(${name} PRIVATE -static-pie)
    endif()
endfunction()
