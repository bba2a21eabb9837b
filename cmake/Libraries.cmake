# SPDX-License-Identifier: Apache-2.0
#
# One imported target per library, with the oldest version we test (Debian 12's). The hook is static, so the libraries
# it uses have a second target that names the archive.
find_package(PkgConfig REQUIRED)

pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1>=0.2.5)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp>=2.5.4)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(event REQUIRED IMPORTED_TARGET libevent>=2.1.12)
pkg_check_modules(event-openssl REQUIRED IMPORTED_TARGET libevent_openssl>=2.1.12)
pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl>=3.0)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib>=1.2.13)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares>=1.18)

# Debian ships these without a .pc file that works (ldns' names packages that are not in Debian).
function(library_by_header name header library)
    find_path(${name}_INCLUDE ${header} REQUIRED)
    find_library(${name}_LIBRARY ${library} REQUIRED)
    add_library(${name} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${name} INTERFACE ${${name}_INCLUDE})
    target_link_libraries(${name} INTERFACE ${${name}_LIBRARY})
endfunction()
library_by_header(http-parser http_parser.h http_parser)
library_by_header(wslay wslay/wslay.h wslay)
library_by_header(ldns ldns/ldns.h ldns)

# The hook's libraries exist twice: who links foreign-NAME gets the archive when the program at the end has the property
# NAVIGATOR_STATIC, else the shared object, so that one build of policy/ and base/jail serves both.
foreach(name yaml jansson seccomp)
    find_library(${name}_ARCHIVE lib${name}.a REQUIRED)
    add_library(${name}-static INTERFACE IMPORTED)
    target_link_libraries(${name}-static INTERFACE ${${name}_ARCHIVE})
    add_library(foreign-${name} INTERFACE)
    target_link_libraries(foreign-${name} INTERFACE
        $<IF:$<BOOL:$<TARGET_PROPERTY:NAVIGATOR_STATIC>>,${name}-static,PkgConfig::${name}>)
endforeach()
