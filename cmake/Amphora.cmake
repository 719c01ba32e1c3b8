# What every folder shares: language level, warnings, sanitizers, dependencies, and four small helpers:
#   amphora_library(name SOURCES ... DEPS ... [PRIVATE_DEPS ...])
#   amphora_executable(name SOURCES ... DEPS ...)
#   amphora_timeout(test seconds)   longer with a sanitizer
#   amphora_test(name SOURCES ... DEPS ... [LABELS ...] [TIMEOUT seconds] [SERIAL])

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(AMPHORA_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, 'address,undefined' or 'thread'")
# Off in what users run: the presets that tests are built by turn it on.
option(AMPHORA_FAILPOINTS "Compile failpoints and the tests in: these delay or fail named steps" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths relative to the checkout, and no build folder in the hash: another checkout finds the same objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
                                  "${CCACHE_PROGRAM}")
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(pugixml REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(rocksdb REQUIRED IMPORTED_TARGET rocksdb)

# libfuse: the system's when it is new enough, else the private prefix of scripts/install-libfuse.
set(AMPHORA_LIBFUSE_PREFIX "$ENV{HOME}/.cache/amphora/libfuse" CACHE PATH
    "Where scripts/install-libfuse put libfuse, if the system's is too old")
pkg_check_modules(fuse3 QUIET IMPORTED_TARGET fuse3>=3.18)
if(NOT fuse3_FOUND)
  set(ENV{PKG_CONFIG_PATH} "${AMPHORA_LIBFUSE_PREFIX}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
  pkg_check_modules(fuse3 REQUIRED IMPORTED_TARGET fuse3>=3.18)
  list(APPEND CMAKE_BUILD_RPATH "${AMPHORA_LIBFUSE_PREFIX}/lib")
  list(APPEND CMAKE_INSTALL_RPATH "${AMPHORA_LIBFUSE_PREFIX}/lib")
endif()

function(_amphora_common target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -Wswitch -Wnon-virtual-dtor -Woverloaded-virtual)
  target_compile_definitions(${target} PRIVATE _FILE_OFFSET_BITS=64)
  if(AMPHORA_FAILPOINTS)
    target_compile_definitions(${target} PRIVATE AMPHORA_FAILPOINTS=1)
  endif()
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}")
  if(AMPHORA_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${AMPHORA_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${AMPHORA_SANITIZE})
  endif()
  # libstdc++ 12 uses what it calls deprecated in its own stable_partition and stable_sort.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
  # GCC 12 reports false positives of these inside its own headers when it optimizes.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
                                             -Wno-array-bounds -Wno-stringop-overread)
  endif()
endfunction()

function(amphora_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  _amphora_common(${name})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} Threads::Threads PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

function(amphora_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _amphora_common(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} Threads::Threads)
endfunction()

# Sanitizers cost a factor that no test shall depend on; the limit is there for what hangs.
function(amphora_timeout name seconds)
  if(AMPHORA_SANITIZE)
    math(EXPR seconds "${seconds} * 6")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${seconds})
endfunction()

function(amphora_test name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _amphora_common(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main Threads::Threads)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  amphora_timeout(${name} ${ARG_TIMEOUT})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
