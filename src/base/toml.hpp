#pragma once

// TOML 1.0 with limits, as JSON: the only door to toml++. Configuration files are written by people we trust more than a
// registry, but a broken disk or a hostile share must not hang or crash us either.

#include <cstddef>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx {

struct TomlLimits {
  std::size_t bytes = std::size_t{1} << 20U;  // a registries.conf of a distribution has 20 KiB
  std::size_t depth = 16;                     // tables and arrays; registries.conf(5) nests 4 deep
  std::size_t values = 10'000;                // of all kinds, tables and arrays counted
};

/// One document: tables become objects, dates and times strings. `what` names it in errors, which say the line and what is
/// wrong there. kCorrupt, or kLimit.
Result<Json> parse_toml(std::string_view text, std::string_view what,
                        const TomlLimits& limits = {});

}  // namespace sbx
