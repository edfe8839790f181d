#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sbx::transfer {

/// The command line: load --root ROOT [--platform OS/ARCH[/VARIANT]] [--tag NAME]... [--progress] SOURCE.
/// Written by sbx, not by people.
struct Options {
  std::string root;
  std::string platform;  // empty: this machine's
  std::vector<std::string> tags;
  bool progress = false;
  std::string source;

  static Result<Options> parse(std::span<char* const> arguments);
};

}  // namespace sbx::transfer
