#include "runtime/settings.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/toml.hpp"
#include "sys/file.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20U;
constexpr const char* kSystemFile = "/etc/sbx/sbx.conf";

/// The line of a key at the top level, for errors: the parser does not keep it.
std::size_t line_of(std::string_view text, std::string_view key) {
  std::size_t line = 1;
  while (!text.empty()) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    const std::size_t start = whole.find_first_not_of(" \t\"'[");
    if (start != std::string_view::npos && whole.substr(start).starts_with(key)) {
      return line;
    }
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    ++line;
  }
  return 0;
}

Unexpected<Error> refuse(std::string_view text, const std::string& file, std::string_view key,
                         std::string reason) {
  const std::size_t line = line_of(text, key);
  const std::string place = line == 0 ? file : fmt::format("{}:{}", file, line);
  return fail(Error::make(ErrorCode::kInvalidArgument, "read configuration", place,
                          fmt::format("'{}' {}", printable(key), reason))
                  .with_hint("sbx.conf(5) tells the keys and their values"));
}

template <class Value>
using Words = std::array<std::pair<std::string_view, Value>, 3>;

constexpr Words<NetworkMode> kNetworks{
    {{"slirp", NetworkMode::kSlirp}, {"none", NetworkMode::kNone}, {"host", NetworkMode::kHost}}};
constexpr Words<OverlayEngine> kEngines{{{"auto", OverlayEngine::kAuto},
                                         {"fuse", OverlayEngine::kFuse},
                                         {"kernel", OverlayEngine::kKernel}}};

/// nullopt for what is none of the words.
template <class Value>
std::optional<Value> value_of(const Json& word, const Words<Value>& words) {
  for (const auto& [name, value] : words) {
    if (word.is_string() && word.get<std::string>() == name) {
      return value;
    }
  }
  return std::nullopt;
}

/// nullopt if there is no such file.
Result<std::optional<Settings>> read_file(const std::string& path) {
  const Result<std::string> text = sys::read_file_at(AT_FDCWD, path, kMaxFile);
  if (!text) {
    return text.error().code == ErrorCode::kNotFound ? Result<std::optional<Settings>>(std::nullopt)
                                                     : fail(text.error());
  }
  Settings settings = SBX_TRY(parse_settings(*text, path));
  settings.files.push_back(path);
  return std::optional<Settings>(std::move(settings));
}

/// What `over` says counts.
void put_over(Settings& under, Settings over) {
  if (!over.image_stores.empty()) {
    under.image_stores = std::move(over.image_stores);
  }
  under.network = over.network ? over.network : under.network;
  under.init = over.init ? over.init : under.init;
  under.overlay = over.overlay ? over.overlay : under.overlay;
  under.files.insert(under.files.begin(), over.files.begin(), over.files.end());
}

std::string user_file() {
  const std::string config = sys::environment("XDG_CONFIG_HOME");
  if (config.starts_with('/')) {
    return config + "/sbx/sbx.conf";
  }
  const std::string home = sys::environment("HOME");
  return home.starts_with('/') ? home + "/.config/sbx/sbx.conf" : std::string();
}

Result<std::vector<std::string>> stores_of_environment() {
  std::vector<std::string> out;
  std::string rest = sys::environment("SBX_IMAGE_STORES");
  while (!rest.empty()) {
    const std::string path = rest.substr(0, rest.find(':'));
    rest.erase(0, path.size() + 1);
    if (path.empty()) {
      continue;
    }
    if (!path.starts_with('/')) {
      return fail(Error::make(ErrorCode::kInvalidArgument, "read", "SBX_IMAGE_STORES",
                              fmt::format("'{}' is no absolute path", printable(path))));
    }
    out.push_back(path);
  }
  return out;
}

}  // namespace

Result<Settings> parse_settings(std::string_view text, const std::string& file) {
  const Json document = SBX_TRY(parse_toml(text, file));
  Settings out;
  for (const auto& [key, value] : document.items()) {
    if (key == "image_stores") {
      for (const Json& path : value.is_array() ? value : Json::array({nullptr})) {
        if (!path.is_string() || !path.get<std::string>().starts_with('/')) {
          return refuse(text, file, key, "should be a list of absolute paths");
        }
        out.image_stores.push_back(path.get<std::string>());
      }
    } else if (key == "network") {
      out.network = value_of(value, kNetworks);
      if (!out.network) {
        return refuse(text, file, key, "should be \"slirp\", \"none\" or \"host\"");
      }
    } else if (key == "overlay") {
      out.overlay = value_of(value, kEngines);
      if (!out.overlay) {
        return refuse(text, file, key, "should be \"auto\", \"fuse\" or \"kernel\"");
      }
    } else if (key == "init") {
      if (!value.is_boolean()) {
        return refuse(text, file, key, "should be true or false");
      }
      out.init = value.get<bool>();
    } else {
      return refuse(text, file, key, "is not a key of sbx.conf");
    }
  }
  return out;
}

Result<Settings> load_settings() {
  Settings out = SBX_TRY(read_file(kSystemFile)).value_or(Settings());
  if (const std::string path = user_file(); !path.empty()) {
    if (std::optional<Settings> own = SBX_TRY(read_file(path))) {
      put_over(out, *std::move(own));
    }
  }
  Settings environment;
  environment.image_stores = SBX_TRY(stores_of_environment());
  put_over(out, std::move(environment));
  return out;
}

Result<std::string> data_root_of(const std::string& given) {
  return given.empty() ? sys::data_root(sys::invoker()) : sys::absolute_path(given);
}

}  // namespace sbx::runtime
