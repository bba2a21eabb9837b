# SPDX-License-Identifier: Apache-2.0
#
# Warnings and hardening as INTERFACE targets. Every flag is probed, because gcc 12, gcc 14 and clang 14 each lack some.
include(CheckCCompilerFlag)

add_library(flags-warnings INTERFACE)
add_library(flags-hardening INTERFACE)
add_library(flags-sanitize INTERFACE)
add_library(flags-all INTERFACE)
target_link_libraries(flags-all INTERFACE flags-warnings flags-hardening flags-sanitize)
# In a file the macro trips bugprone-reserved-identifier, so it is a definition of the build.
target_compile_definitions(flags-all INTERFACE _GNU_SOURCE)

function(flags_add target)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "HAVE_FLAG${flag}" variable)
        # clang only warns about flags it does not know: make that an error for the probe.
        set(CMAKE_REQUIRED_FLAGS -Werror)
        check_c_compiler_flag(${flag} ${variable})
        if(${variable})
            target_compile_options(${target} INTERFACE ${flag})
        endif()
    endforeach()
endfunction()

flags_add(flags-warnings
    -Wall -Wextra -Wformat=2 -Wformat-signedness -Wconversion -Wshadow -Wundef -Wvla -Wcast-qual
    -Wcast-align=strict -Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
    -Wmissing-variable-declarations -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference -Wlogical-op
    -Wduplicated-cond -Wduplicated-branches -Walloc-zero -Wdate-time -Wbidi-chars=any
    # zero-initialising the rest of a struct is a feature here; callbacks have parameters they do not use
    -Wno-missing-field-initializers -Wno-unused-parameter)
if(NAVIGATOR_WERROR)
    target_compile_options(flags-warnings INTERFACE -Werror)
endif()

# The OpenSSF list. _FORTIFY_SOURCE needs optimisation, so a Debug build goes without it.
flags_add(flags-hardening
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard
    -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -fstrict-flex-arrays=3
    -fno-delete-null-pointer-checks -fno-strict-overflow -fno-common -fvisibility=hidden)
if(NOT NAVIGATOR_SANITIZE)
    target_compile_options(flags-hardening INTERFACE
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
target_link_options(flags-hardening INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(NAVIGATOR_SANITIZE)
    target_compile_options(flags-sanitize INTERFACE
        -fsanitize=${NAVIGATOR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(flags-sanitize INTERFACE -fsanitize=${NAVIGATOR_SANITIZE})
endif()
