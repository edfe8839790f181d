// Lists a tar as sbx reads it, one JSON object per line: for comparing with other readers. Test program.

#include <fcntl.h>
#include <fmt/format.h>

#include <cstdio>

#include "base/json.hpp"
#include "layer/tar_reader.hpp"
#include "sys/file.hpp"

namespace {

sbx::Json describe(const sbx::layer::TarEntry& e) {
  sbx::Json out{{"path", e.path},
                {"type", static_cast<int>(e.type)},
                {"link", e.link},
                {"mode", e.mode},
                {"uid", e.uid},
                {"gid", e.gid},
                {"mtime_sec", e.mtime_sec},
                {"mtime_nsec", e.mtime_nsec},
                {"rdev", e.rdev},
                {"size", e.size},
                {"data_offset", e.data_offset},
                {"sparse", e.sparse}};
  for (const auto& extent : e.extents) {
    out["extents"].push_back({extent.file_offset, extent.length, extent.tar_offset});
  }
  for (const auto& [name, value] : e.xattrs) {
    std::string hex;
    for (const char c : value) {
      hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    out["xattrs"][name] = hex;
  }
  return out;
}

sbx::Result<void> list(const char* path, std::size_t step) {
  const std::string data = SBX_TRY(sbx::sys::read_file_at(AT_FDCWD, path, SIZE_MAX / 2));
  sbx::layer::TarReader reader([](const sbx::layer::TarEntry& e) -> sbx::Result<void> {
    std::puts(sbx::dump_json(describe(e)).c_str());
    return {};
  });
  for (std::size_t at = 0; at < data.size(); at += step) {
    SBX_TRY(
        reader.feed(std::as_bytes(std::span(data)).subspan(at, std::min(step, data.size() - at))));
  }
  return reader.finish();
}

}  // namespace

int main(int argc, char** argv) {
  const sbx::Result<void> done = list(argv[1], argc > 2 ? std::stoul(argv[2]) : 1U << 20U);
  if (!done) {
    fmt::print(stderr, "tar_list: {}\n", done.error().message());
    return 1;
  }
  return 0;
}
