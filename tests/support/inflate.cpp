// inflate FILE STEP PIECE: writes FILE as a layer is decompressed to standard output; its bytes come in pieces of STEP, and
// PIECE are asked for at once. For comparing with other decompressors. Test program.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "layer/compression.hpp"
#include "sys/file.hpp"

namespace {

/// A source that gives little at a time, as a network does.
class Dripping final : public sbx::layer::ByteSource {
 public:
  Dripping(sbx::layer::ByteSource& source, std::size_t step) : source_(source), step_(step) {}
  sbx::Result<std::size_t> read(std::span<std::byte> data) override {
    return source_.read(data.first(std::min(step_, data.size())));
  }

 private:
  sbx::layer::ByteSource& source_;
  std::size_t step_;
};

sbx::Result<void> inflate(const char* path, std::size_t step, std::size_t piece) {
  const sbx::sys::Fd file = SBX_TRY(sbx::sys::open_at(AT_FDCWD, path, O_RDONLY));
  const struct stat st = SBX_TRY(sbx::sys::stat_fd(file.get(), path));
  sbx::layer::FileSource whole(file.get(), 0, static_cast<std::uint64_t>(st.st_size), path);
  Dripping dripping(whole, step);
  const auto plain = SBX_TRY(sbx::layer::open_decompressor(dripping, {}, path));
  std::vector<std::byte> buffer(piece);
  std::vector<std::byte> out;
  while (const std::size_t got = SBX_TRY(plain->read(buffer))) {
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return sbx::sys::write_full(STDOUT_FILENO, out, "output");
}

}  // namespace

int main(int, char** argv) {
  const sbx::Result<void> done = inflate(argv[1], std::stoul(argv[2]), std::stoul(argv[3]));
  if (!done) {
    fmt::print(stderr, "inflate: {}\n", done.error().message());
    return 1;
  }
  return 0;
}
