#pragma once

// What volume.json says of a volume, and how volumes are chosen by --filter. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx::runtime {

struct VolumeRecord {
  std::string name;
  std::string created;  // RFC 3339, with nanoseconds
  std::map<std::string, std::string> labels;
  bool anonymous = false;  // made for a container that named none
};

Json to_json(const VolumeRecord& record);
/// kCorrupt for members of the wrong type.
Result<VolumeRecord> volume_record_from_json(const Json& object);

/// "NAME[=VALUE]" of --label. kInvalidArgument without a name.
Result<std::pair<std::string, std::string>> parse_label(const std::string& text);

/// --filter in docker's and podman's words:
///   name=PART           several: one of them is in the name
///   label=NAME[=VALUE]  each of several is there; label!=... is not
///   driver=NAME         "local" is the only one
///   dangling=BOOL       no container uses it
///   anonymous=BOOL      it was made for a container that named none
///   until=TIME          made before a time, or longer ago than a duration
class VolumeFilter {
 public:
  /// `now`: seconds since 1970. kInvalidArgument.
  static Result<VolumeFilter> parse(const std::vector<std::string>& words, std::int64_t now);

  [[nodiscard]] bool accepts(const VolumeRecord& record, bool used) const;

 private:
  struct Label {
    std::string name;
    std::optional<std::string> value;
    bool wanted = true;
  };
  Result<void> add(const std::string& key, const std::string& value, std::int64_t now);

  std::vector<std::string> names_;
  std::vector<Label> labels_;
  std::vector<std::string> drivers_;
  std::optional<bool> dangling_;
  std::optional<bool> anonymous_;
  std::optional<std::int64_t> until_;
};

}  // namespace sbx::runtime
