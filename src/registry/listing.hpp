#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::registry {

struct Tags {
  std::vector<std::string> names;
  bool complete = true;
};

struct SearchResult {
  std::string name;         // "library/busybox", as the registry has it
  std::string description;  // from outside: print it by printable()
  std::int64_t stars = 0;
  bool official = false;
};

struct SearchResults {
  std::vector<SearchResult> found;
  bool complete = true;  // false: there are more than were asked for, or looked at
};

/// {"name":…,"tags":[…]}; `tags` may be null. kCorrupt for a tag that cannot be one (distribution-spec, "Pulling
/// manifests": at most 128 of [A-Za-z0-9_.-], the first no dot or dash).
Result<std::vector<std::string>> parse_tags(std::string_view json, std::string_view registry);

/// {"repositories":[…]}.
Result<std::vector<std::string>> parse_catalog(std::string_view json, std::string_view registry);

/// Docker's old search: {"num_results":…,"results":[{"name":…,"description":…,"star_count":…,"is_official":…}]}.
Result<SearchResults> parse_search(std::string_view json, std::string_view registry);

/// Whether it may stand where a tag stands.
[[nodiscard]] bool is_tag(std::string_view text);

}  // namespace sbx::registry
