#include "runtime/volume_record.hpp"

#include <algorithm>

#include "base/rfc3339.hpp"
#include "image/image_filter.hpp"

namespace sbx::runtime {
namespace {

constexpr int kVersion = 1;
constexpr std::string_view kDriver = "local";

Error bad_filter(const std::string& key, const std::string& value, std::string reason) {
  return Error::make(ErrorCode::kInvalidArgument, "filter volumes by", key + "=" + value,
                     std::move(reason));
}

Result<bool> read_bool(const std::string& key, const std::string& value) {
  if (value == "true" || value == "1") {
    return true;
  }
  return value == "false" || value == "0" ? Result<bool>(false)
                                          : fail(bad_filter(key, value, "it is true or false"));
}

}  // namespace

Json to_json(const VolumeRecord& record) {
  return {{"version", kVersion},       {"name", record.name},     {"driver", kDriver},
          {"created", record.created}, {"labels", record.labels}, {"anonymous", record.anonymous}};
}

Result<VolumeRecord> volume_record_from_json(const Json& object) {
  VolumeRecord out;
  out.name = SBX_TRY(find_string(object, "name")).value_or("");
  out.created = SBX_TRY(find_string(object, "created")).value_or("");
  out.anonymous = SBX_TRY(find_bool(object, "anonymous")).value_or(false);
  if (const Json* const labels = SBX_TRY(find_object(object, "labels"))) {
    for (const auto& [name, value] : labels->items()) {
      if (!value.is_string()) {
        return fail(
            Error::make(ErrorCode::kCorrupt, "read volume.json", "labels", "a label is no text"));
      }
      out.labels[name] = value.get<std::string>();
    }
  }
  return out;
}

Result<std::pair<std::string, std::string>> parse_label(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || text.empty()) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "use label", text, "it must be NAME[=VALUE]"));
  }
  return std::pair(text.substr(0, equals),
                   equals == std::string::npos ? std::string() : text.substr(equals + 1));
}

Result<VolumeFilter> VolumeFilter::parse(const std::vector<std::string>& words, std::int64_t now) {
  VolumeFilter out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "filter volumes by", word,
                              "it must be KEY=VALUE"));
    }
    SBX_TRY(out.add(word.substr(0, equals), word.substr(equals + 1), now));
  }
  return out;
}

Result<void> VolumeFilter::add(const std::string& key, const std::string& value, std::int64_t now) {
  if (key == "name") {
    names_.push_back(value);
  } else if (key == "driver") {
    drivers_.push_back(value);
  } else if (key == "label" || key == "label!") {
    const std::size_t equals = value.find('=');
    labels_.push_back(
        {value.substr(0, equals),
         equals == std::string::npos ? std::nullopt : std::optional(value.substr(equals + 1)),
         key == "label"});
  } else if (key == "dangling") {
    dangling_ = SBX_TRY(read_bool(key, value));
  } else if (key == "anonymous") {
    anonymous_ = SBX_TRY(read_bool(key, value));
  } else if (key == "until") {
    const Result<std::int64_t> time = image::parse_until(value, now);
    if (!time) {
      return fail(bad_filter(key, value, time.error().reason));
    }
    until_ = *time;
  } else {
    return fail(bad_filter(key, value, "there is no such filter")
                    .with_hint("name=, label=, label!=, dangling=, anonymous=, driver= and until= "
                               "are there"));
  }
  return {};
}

bool VolumeFilter::accepts(const VolumeRecord& record, bool used) const {
  const bool named =
      names_.empty() || std::any_of(names_.begin(), names_.end(), [&](const std::string& part) {
        return record.name.find(part) != std::string::npos;
      });
  const bool labelled = std::all_of(labels_.begin(), labels_.end(), [&](const Label& label) {
    const auto found = record.labels.find(label.name);
    const bool there =
        found != record.labels.end() && (!label.value || found->second == *label.value);
    return there == label.wanted;
  });
  const bool driven =
      drivers_.empty() || std::find(drivers_.begin(), drivers_.end(), kDriver) != drivers_.end();
  const bool old = !until_ || parse_rfc3339(record.created).value_or(0) < *until_;
  return named && labelled && driven && old && (!dangling_ || *dangling_ != used) &&
         (!anonymous_ || *anonymous_ == record.anonymous);
}

}  // namespace sbx::runtime
