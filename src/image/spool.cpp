#include "image/spool.hpp"

#include <sys/stat.h>

#include <span>
#include <vector>

#include "layer/byte_source.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kCopyBytes = 256U << 10U;

Error told_what(Error error) {
  return error.sys_errno == ENOSPC || error.sys_errno == EDQUOT
             ? std::move(error).with_hint(
                   "the store's file system must hold the archive besides its images: give the "
                   "archive as a plain file and not by a pipe, or choose another --root")
             : error;
}

/// What `read` gives, in a file without a name.
template <class Read>
Result<sys::Fd> keep(store::Staging& staging, const std::string& name, const Read& read) {
  sys::Fd file = SBX_TRY(staging.create_unnamed());
  std::vector<std::byte> buffer(kCopyBytes);
  for (;;) {
    const std::size_t got = SBX_TRY(read(std::span(buffer)));
    if (got == 0) {
      return file;
    }
    if (Result<void> written = sys::write_full(file.get(), std::span(buffer).first(got), name);
        !written) {
      return fail(told_what(std::move(written).error()));
    }
  }
}

}  // namespace

Result<sys::Fd> seekable(sys::Fd source, store::Staging& staging, const std::string& name) {
  const struct stat st = SBX_TRY(sys::stat_fd(source.get(), name));
  if (S_ISREG(st.st_mode)) {
    return source;
  }
  if (S_ISDIR(st.st_mode)) {
    return fail(Error::system("read", name, EISDIR));
  }
  return keep(staging, name,
              [&](std::span<std::byte> data) { return sys::read_some(source.get(), data, name); });
}

Result<sys::Fd> uncompressed(sys::Fd archive, store::Staging& staging,
                             const layer::DecompressLimits& limits, const std::string& name) {
  std::vector<std::byte> head(8);
  head.resize(SBX_TRY(sys::pread_full(archive.get(), head, 0, name)));
  if (SBX_TRY(layer::sniff_compression(head)) == layer::Compression::kNone) {
    return archive;
  }
  const struct stat st = SBX_TRY(sys::stat_fd(archive.get(), name));
  layer::FileSource source(archive.get(), 0, static_cast<std::uint64_t>(st.st_size), name);
  const std::unique_ptr<layer::ByteSource> plain =
      SBX_TRY(layer::open_decompressor(source, limits, name));
  return keep(staging, name, [&](std::span<std::byte> data) { return plain->read(data); });
}

}  // namespace sbx::image
