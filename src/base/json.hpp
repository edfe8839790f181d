#pragma once

// JSON from outside, with limits. nlohmann::json throws: nobody includes it but base, and everybody
// gets it through parse_json, which returns an Error instead.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t bytes = std::size_t{4}
                      << 20U;      // as containerd and containers/image: 4 MiB per document
  std::size_t depth = 32;          // OCI documents nest 6 deep
  std::size_t values = 1U << 20U;  // values of all kinds in one document
};

/// Strict JSON (RFC 8259), one document, duplicate keys refused. kCorrupt or kLimit.
Result<Json> parse_json(std::string_view text, std::string_view what,
                        const JsonLimits& limits = {});

/// Members with their type checked; nullptr or nullopt if the member is absent or null.
/// A member of the wrong type is kCorrupt, never silently ignored.
Result<const Json*> find_object(const Json& object, std::string_view key);
Result<const Json*> find_array(const Json& object, std::string_view key);
Result<std::optional<std::string>> find_string(const Json& object, std::string_view key);
Result<std::optional<std::int64_t>> find_integer(const Json& object, std::string_view key);
Result<std::optional<bool>> find_bool(const Json& object, std::string_view key);
/// An array of strings; empty if absent.
Result<std::vector<std::string>> find_strings(const Json& object, std::string_view key);

/// Serialised; bytes that are not UTF-8 become U+FFFD instead of an exception.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace sbx
