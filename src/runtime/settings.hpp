#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sbx/run.hpp>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx::runtime {

/// What sbx.conf(5) and the environment say.
struct Settings {
  std::vector<std::string>
      image_stores;  // additional, absolute, in the order in which they are searched
  std::optional<NetworkMode> network;  // of `run` and `shell`, unless an option says otherwise
  std::optional<bool> init;
  std::optional<OverlayEngine> overlay;
  std::vector<std::string> files;  // that were read, the one that counts more first
};

/// $XDG_CONFIG_HOME/sbx/sbx.conf over /etc/sbx/sbx.conf, key by key; $SBX_IMAGE_STORES over both. kInvalidArgument, with file and key,
/// for a key that is not known or has a wrong value; kCorrupt, with file and line, for what is no TOML. Files that are not there cost
/// one system call each.
Result<Settings> load_settings();

/// One file's content; `file` is for errors.
Result<Settings> parse_settings(std::string_view text, const std::string& file);

/// The directory of images and containers, absolute; `given`: as the user named it, or empty.
Result<std::string> data_root_of(const std::string& given);

}  // namespace sbx::runtime
