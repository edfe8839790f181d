#pragma once

// Which containers `ps`, `prune` and others mean: docker's and podman's --filter. Pure; what has to be looked up is asked for.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/containers.hpp"

namespace sbx::runtime {

/// What a filter has to look up.
struct FilterFacts {
  std::int64_t now = 0;  // seconds since 1970
  /// When a container was made, RFC 3339: before=, since=.
  std::function<Result<std::string>(const std::string& container)> created;
  /// The digests (ContainerState::image_id) of an image and of those made from it; empty if there is none: ancestor=.
  std::function<Result<std::set<std::string>>(const std::string& image)> images;
  /// Sources and places of what is mounted in a container: volume=.
  std::function<std::set<std::string>(const std::string& id)> mounts;
  /// What its health checks tell; empty: nothing: health=.
  std::function<std::string(const Container& container)> health;
};

/// Values of one key are alternatives, but each label has to be there; keys must all hold.
///   id=  the beginning; name=  a regular expression as grep -E has it; label=NAME[=VALUE], label!=; exited=CODE;
///   status=created|restarting|running|removing|paused|exited|dead; ancestor=IMAGE; before=, since=CONTAINER; until=TIME;
///   volume=NAME or PATH; health=none|starting|healthy|unhealthy
class ContainerFilter {
 public:
  /// `facts` is borrowed. kInvalidArgument for what is no filter; what the facts fail with.
  static Result<ContainerFilter> parse(const std::vector<std::string>& words,
                                       const FilterFacts& facts);

  [[nodiscard]] bool accepts(const Container& container) const;
  /// It asks for containers of some status: those that do not run are meant, too.
  [[nodiscard]] bool names_status() const { return has("status") || has("exited"); }

 private:
  struct Label {
    std::string name;
    std::string value;
    bool any_value = true;
    bool wanted = true;
  };
  explicit ContainerFilter(const FilterFacts& facts) : facts_(&facts) {}
  Result<void> add(std::string_view word);
  Result<void> add_time(const std::string& key, const std::string& value);
  [[nodiscard]] bool has(const char* key) const { return values_.count(key) != 0; }
  [[nodiscard]] bool matches(const Container& container, const std::string& key,
                             const std::string& value) const;

  const FilterFacts* facts_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<Label> labels_;
  std::set<std::string> ancestors_;
  std::string before_;  // RFC 3339; empty: any
  std::string since_;
  std::int64_t until_ = INT64_MAX;
};

}  // namespace sbx::runtime
