#include "layer/tar_path.hpp"

#include <algorithm>

#include "layer/limits.hpp"

namespace sbx::layer {
namespace {

Unexpected<Error> refuse(ErrorCode code, std::string_view path, std::string reason) {
  return fail(Error::make(code, "read tar entry", path, std::move(reason)));
}

}  // namespace

Result<std::string> clean_tar_path(std::string_view raw) {
  if (raw.find('\0') != std::string_view::npos) {
    return refuse(ErrorCode::kCorrupt, raw, "a path with a NUL byte in it");
  }
  std::string out;
  std::size_t depth = 0;
  for (std::string_view rest = raw; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (name.empty() || name == ".") {
      continue;
    }
    if (name == "..") {
      return refuse(ErrorCode::kCorrupt, raw, "a path with '..' in it");
    }
    if (name.size() > kMaxName || out.size() + 1 + name.size() > kMaxPath || ++depth > kMaxDepth) {
      return refuse(ErrorCode::kLimit, raw, "the path is too long or too deep");
    }
    if (!out.empty()) {
      out += '/';
    }
    out += name;
  }
  if (raw.starts_with('/') && !out.empty()) {
    return refuse(ErrorCode::kCorrupt, raw, "an absolute path");
  }
  return out;
}

}  // namespace sbx::layer
