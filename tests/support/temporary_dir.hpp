#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

/// A directory of the test's own, gone with it.
struct TemporaryDir {
  std::string path = (std::filesystem::temp_directory_path() / "sbx-unit-XXXXXX").string();
  TemporaryDir() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~TemporaryDir() { std::filesystem::remove_all(path); }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
};
