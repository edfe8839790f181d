#include "registry/listing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxName = 512;
constexpr std::size_t kMaxDescription = 4096;

Result<Json> parse(std::string_view json, std::string_view what, std::string_view registry) {
  Json document =
      SBX_TRY(parse_json(json, what).context(fmt::format("asking {}", printable(registry))));
  if (!document.is_object()) {
    return fail(Error::make(ErrorCode::kCorrupt, fmt::format("read the {} of", what), registry,
                            "no JSON object"));
  }
  return document;
}

Result<SearchResult> parse_result(const Json& object, std::string_view registry) {
  if (!object.is_object()) {
    return fail(Error::make(ErrorCode::kCorrupt, "read the search results of", registry,
                            "one is no JSON object"));
  }
  SearchResult result;
  result.name = SBX_TRY(find_string(object, "name")).value_or("");
  result.description = SBX_TRY(find_string(object, "description")).value_or("");
  result.stars = SBX_TRY(find_integer(object, "star_count")).value_or(0);
  result.official = SBX_TRY(find_bool(object, "is_official")).value_or(false);
  if (result.name.empty() || result.name.size() > kMaxName) {
    return fail(Error::make(ErrorCode::kCorrupt, "read the search results of", registry,
                            "one has no name, or a giant one"));
  }
  result.description.resize(std::min(result.description.size(), kMaxDescription));
  return result;
}

}  // namespace

bool is_tag(std::string_view text) {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 128 && word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return word(c) || c == '.' || c == '-'; });
}

Result<std::vector<std::string>> parse_tags(std::string_view json, std::string_view registry) {
  const Json document = SBX_TRY(parse(json, "list of tags", registry));
  std::vector<std::string> tags = SBX_TRY(find_strings(document, "tags"));
  for (const std::string& tag : tags) {
    if (!is_tag(tag)) {
      return fail(Error::make(ErrorCode::kCorrupt, "read the tags of", registry,
                              fmt::format("'{}' cannot be one", printable(tag, 80))));
    }
  }
  return tags;
}

Result<std::vector<std::string>> parse_catalog(std::string_view json, std::string_view registry) {
  const Json document = SBX_TRY(parse(json, "catalog", registry));
  std::vector<std::string> names = SBX_TRY(find_strings(document, "repositories"));
  if (std::any_of(names.begin(), names.end(),
                  [](const std::string& name) { return name.size() > kMaxName; })) {
    return fail(Error::make(ErrorCode::kCorrupt, "read the catalog of", registry,
                            "a repository has a giant name"));
  }
  return names;
}

Result<SearchResults> parse_search(std::string_view json, std::string_view registry) {
  const Json document = SBX_TRY(parse(json, "search results", registry));
  SearchResults results;
  const Json* const array = SBX_TRY(find_array(document, "results"));
  if (array != nullptr) {
    for (const Json& each : *array) {
      results.found.push_back(SBX_TRY(parse_result(each, registry)));
    }
  }
  const std::int64_t total = SBX_TRY(find_integer(document, "num_results")).value_or(0);
  results.complete = total <= static_cast<std::int64_t>(results.found.size());
  return results;
}

}  // namespace sbx::registry
