#include "oci/image_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "oci/descriptor.hpp"
#include "oci/manifest.hpp"

namespace sbx::oci {
namespace {

constexpr std::size_t kMaxWords = 65536;       // of arguments or environment variables
constexpr std::size_t kMaxWordBytes = 131071;  // Linux's MAX_ARG_STRLEN without the NUL

Unexpected<Error> refuse(std::string_view member, std::string reason) {
  return fail(
      Error::make(ErrorCode::kCorrupt, "read image configuration", member, std::move(reason)));
}

Result<void> check_word(std::string_view member, std::string_view word) {
  if (word.find('\0') != std::string_view::npos) {
    return refuse(member, "a NUL byte in it");
  }
  return word.size() <= kMaxWordBytes ? Result<void>() : refuse(member, "it is too long");
}

Result<std::string> word(const Json& object, std::string_view key) {
  std::string value = SBX_TRY(find_string(object, key)).value_or("");
  SBX_TRY(check_word(key, value));
  return value;
}

Result<std::vector<std::string>> words(const Json& object, std::string_view key) {
  std::vector<std::string> values = SBX_TRY(find_strings(object, key));
  if (values.size() > kMaxWords) {
    return refuse(key, "too many strings");
  }
  for (const std::string& value : values) {
    SBX_TRY(check_word(key, value));
  }
  return values;
}

/// {"/data": {}, "/var": {}}: docker's way to write a set.
Result<std::set<std::string>> key_set(const Json& object, std::string_view key) {
  std::set<std::string> out;
  const Json* member = SBX_TRY(find_object(object, key));
  if (member != nullptr) {
    for (const auto& [name, value] : member->items()) {
      SBX_TRY(check_word(key, name));
      out.insert(name);
    }
  }
  return out;
}

/// Nanoseconds as milliseconds; what is no time is none.
Result<std::int64_t> duration(const Json& object, std::string_view key) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  return std::max<std::int64_t>(SBX_TRY(find_integer(object, key)).value_or(0), 0) / kNsPerMs;
}

Result<Healthcheck> parse_healthcheck(const Json& object) {
  Healthcheck out;
  out.test = SBX_TRY(words(object, "Test"));
  out.interval = SBX_TRY(duration(object, "Interval"));
  out.timeout = SBX_TRY(duration(object, "Timeout"));
  out.start_period = SBX_TRY(duration(object, "StartPeriod"));
  out.start_interval = SBX_TRY(duration(object, "StartInterval"));
  out.retries = std::max<std::int64_t>(SBX_TRY(find_integer(object, "Retries")).value_or(0), 0);
  return out;
}

Result<void> parse_execution(const Json& object, ImageConfig& out) {
  out.user = SBX_TRY(word(object, "User"));
  out.env = SBX_TRY(words(object, "Env"));
  out.entrypoint = SBX_TRY(words(object, "Entrypoint"));
  out.cmd = SBX_TRY(words(object, "Cmd"));
  out.working_dir = SBX_TRY(word(object, "WorkingDir"));
  out.stop_signal = SBX_TRY(word(object, "StopSignal"));
  if (const Json* health = SBX_TRY(find_object(object, "Healthcheck"))) {
    out.healthcheck = SBX_TRY(parse_healthcheck(*health));
  }
  out.volumes = SBX_TRY(key_set(object, "Volumes"));
  out.exposed_ports = SBX_TRY(key_set(object, "ExposedPorts"));
  out.labels = SBX_TRY(annotations_from_json(object, "Labels"));
  // An entry without a name cannot be an environment variable; docker drops it too.
  out.env.erase(std::remove_if(out.env.begin(), out.env.end(),
                               [](const std::string& e) { return e.empty() || e.front() == '='; }),
                out.env.end());
  return {};
}

Result<void> parse_rootfs(const Json& document, ImageConfig& out) {
  const Json* rootfs = SBX_TRY(find_object(document, "rootfs"));
  if (rootfs == nullptr || SBX_TRY(find_string(*rootfs, "type")).value_or("") != "layers") {
    return refuse("rootfs", "it does not list layers");
  }
  for (const std::string& id : SBX_TRY(find_strings(*rootfs, "diff_ids"))) {
    out.diff_ids.push_back(SBX_TRY(DiffId::parse(id)));
  }
  if (out.diff_ids.empty() || out.diff_ids.size() > kMaxLayers) {
    return refuse("rootfs",
                  fmt::format("{} layers; 1 to {} are possible", out.diff_ids.size(), kMaxLayers));
  }
  return {};
}

Result<void> parse_history(const Json& document, ImageConfig& out) {
  const Json* history = SBX_TRY(find_array(document, "history"));
  if (history == nullptr) {
    return {};
  }
  for (const Json& item : *history) {
    out.history.push_back({SBX_TRY(find_string(item, "created")).value_or(""),
                           SBX_TRY(find_string(item, "created_by")).value_or(""),
                           SBX_TRY(find_string(item, "comment")).value_or(""),
                           SBX_TRY(find_bool(item, "empty_layer")).value_or(false)});
  }
  return {};
}

}  // namespace

Result<ImageConfig> ImageConfig::parse(std::string_view text, std::string_view name) {
  const Json document = SBX_TRY(parse_json(text, name));
  if (!document.is_object()) {
    return refuse(name, "it is not a JSON object");
  }
  ImageConfig out;
  out.platform = SBX_TRY(Platform::from_json(document));
  out.created = SBX_TRY(find_string(document, "created")).value_or("");
  out.author = SBX_TRY(find_string(document, "author")).value_or("");
  if (const Json* execution = SBX_TRY(find_object(document, "config"))) {
    SBX_TRY(parse_execution(*execution, out).context(fmt::format("reading '{}'", name)));
  }
  SBX_TRY(parse_rootfs(document, out).context(fmt::format("reading '{}'", name)));
  SBX_TRY(parse_history(document, out).context(fmt::format("reading '{}'", name)));
  return out;
}

}  // namespace sbx::oci
