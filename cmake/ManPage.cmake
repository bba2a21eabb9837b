# SPDX-License-Identifier: Apache-2.0
#
# cmake -DLOWDOWN=... -DSOURCE=page.md -DOUTPUT=page.8 -DNAME=page -DSECTION=8 -P ManPage.cmake: Markdown to a manual page. The first heading
# is the page's title, which man prints itself; `code` becomes bold, which terminals show and every formatter knows.
execute_process(COMMAND ${LOWDOWN} -s -tman --out-no-smarty -m shiftheadinglevelby=-1 -m title=${NAME} -m section=${SECTION}
        -m source=Navigator ${SOURCE}
    OUTPUT_VARIABLE page COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\\.SH\n${NAME}\\(${SECTION}\\)\n(\\.LP\n)?" "" page "${page}")
string(REGEX REPLACE "(\\.S[HS]\n[^\n]+\n)\\.[PL]P\n" "\\1" page "${page}")
string(REPLACE "\\fC" "\\fB" page "${page}")
file(WRITE ${OUTPUT} "${page}")
