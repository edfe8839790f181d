#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sys/child.hpp"

namespace sbx::sys {

struct FilterLimits {
  std::size_t output = std::size_t{64} << 10U;
  std::chrono::milliseconds time{30'000};
};

struct FilterResult {
  ExitStatus status;
  std::string output;
};

/// Runs a program of the host, found by absolute path, without a shell: `input` is its whole standard input (a file in memory,
/// so that secrets are in no argument and on no disk), its standard output is returned, its standard error is ours. Killed,
/// and kLimit, if it says or takes more than `limits`; what it started itself and leaves behind is not waited for.
/// kSystem if it cannot be started.
Result<FilterResult> run_filter(const std::vector<std::string>& argv, std::string_view input,
                                const FilterLimits& limits = {});

}  // namespace sbx::sys
