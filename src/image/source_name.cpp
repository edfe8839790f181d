#include "image/source_name.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::array<std::pair<std::string_view, Transport>, 3> kTransports = {{
    {"oci:", Transport::kOciDirectory},
    {"oci-archive:", Transport::kOciArchive},
    {"docker-archive:", Transport::kDockerArchive},
}};

std::optional<std::pair<Transport, std::string_view>> split_transport(std::string_view text) {
  for (const auto& [prefix, transport] : kTransports) {
    if (text.starts_with(prefix)) {
      return std::pair(transport, text.substr(prefix.size()));
    }
  }
  return std::nullopt;
}

}  // namespace

bool SourceName::is_one(std::string_view text) { return split_transport(text).has_value(); }

Result<SourceName> SourceName::parse(std::string_view text) {
  const auto split = split_transport(text);
  if (!split || split->second.empty() || split->second.front() == ':') {
    return fail(Error::make(
        ErrorCode::kInvalidArgument, "read image source", text,
        "it should be oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:REF]"));
  }
  SourceName out;
  out.transport = split->first;
  out.path = split->second;
  const std::size_t colon = out.path.find(':');
  if (colon != std::string::npos && !sys::exists_at(AT_FDCWD, out.path)) {
    out.ref = out.path.substr(colon + 1);
    out.path.resize(colon);
  }
  return out;
}

std::string repository_of_path(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  path.erase(0, path.rfind('/') + 1);
  path.erase(std::min(path.find('.'), path.size()));
  std::transform(path.begin(), path.end(), path.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return path;
}

}  // namespace sbx::image
