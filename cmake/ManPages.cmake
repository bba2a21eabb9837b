# SPDX-License-Identifier: Apache-2.0
#
# navigator_man_page(NAME SECTION SOURCE): a manual page rendered from Markdown at build, by lowdown. Without it there are no manual pages.
find_program(LOWDOWN lowdown)
if(NOT LOWDOWN)
    message(STATUS "lowdown was not found: no manual pages")
endif()

function(navigator_man_page name section source)
    if(NOT LOWDOWN)
        return()
    endif()
    set(page ${CMAKE_CURRENT_BINARY_DIR}/${name}.${section})
    add_custom_command(OUTPUT ${page}
        COMMAND ${CMAKE_COMMAND} -DLOWDOWN=${LOWDOWN} -DSOURCE=${source} -DOUTPUT=${page} -DNAME=${name} -DSECTION=${section}
            -P ${PROJECT_SOURCE_DIR}/cmake/ManPage.cmake
        DEPENDS ${source} ${PROJECT_SOURCE_DIR}/cmake/ManPage.cmake VERBATIM)
    add_custom_target(man-${name} ALL DEPENDS ${page})
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endfunction()
