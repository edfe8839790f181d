#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/container_log.hpp"
#include "runtime/containers.hpp"

namespace sbx::runtime {

struct LogQuery {
  bool follow = false;  // until the container ends
  std::optional<std::uint64_t>
      tail;  // only that many of the last lines, of those that are there at the beginning
  std::optional<std::int64_t> since;  // seconds since 1970: nothing older
  std::optional<std::int64_t> until;  // nothing newer
};

/// What a container wrote, to `take`; false from it ends the reading. kUnsupported if its output was not kept.
Result<void> read_log(const std::string& data_root, const Container& container,
                      const LogQuery& query, const std::function<bool(const LogEntry&)>& take);

}  // namespace sbx::runtime
