#include "layer/whiteout.hpp"

#include <algorithm>

namespace sbx::layer {
namespace {

constexpr std::string_view kPrefix = ".wh.";
constexpr std::string_view kMetaPrefix = ".wh..wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";

/// The first directory of the path that looks like a whiteout; empty if there is none.
std::string_view whiteout_directory(std::string_view directory) {
  while (!directory.empty()) {
    const std::string_view component = directory.substr(0, directory.find('/'));
    if (component.starts_with(kPrefix)) {
      return component;
    }
    directory.remove_prefix(std::min(component.size() + 1, directory.size()));
  }
  return {};
}

}  // namespace

Result<Whiteout> parse_whiteout(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view directory = slash == std::string_view::npos ? "" : path.substr(0, slash);
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);

  const std::string_view through = whiteout_directory(directory);
  if (through.starts_with(kMetaPrefix)) {
    return Whiteout{WhiteoutKind::kIgnored, directory, {}};
  }
  if (!through.empty()) {
    return fail(Error::make(ErrorCode::kCorrupt, "read layer entry", path,
                            "its path leads through a whiteout"));
  }
  if (!name.starts_with(kPrefix)) {
    return Whiteout{WhiteoutKind::kNone, directory, name};
  }
  if (name == kOpaqueName) {
    return Whiteout{WhiteoutKind::kOpaque, directory, {}};
  }
  if (name.starts_with(kMetaPrefix)) {
    return Whiteout{WhiteoutKind::kIgnored, directory, {}};
  }
  const std::string_view gone = name.substr(kPrefix.size());
  if (gone.empty() || gone == "." || gone == "..") {
    return fail(
        Error::make(ErrorCode::kCorrupt, "read layer entry", path, "it is a whiteout of nothing"));
  }
  return Whiteout{WhiteoutKind::kName, directory, gone};
}

}  // namespace sbx::layer
