// The bytes of files.

#include <algorithm>

#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/raw_ops.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

namespace {

/// Refused for good, so that the kernel opens without a message (FUSE_NO_OPEN_SUPPORT, since Linux 3.16) and
/// keeps what it has cached.
void on_open(fuse_req_t request, fuse_ino_t, struct fuse_file_info*) noexcept {
  (void)fuse_reply_err(request, ENOSYS);
}

void on_read(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
             struct fuse_file_info*) noexcept {
  const std::span<std::byte> room = current_request().room;
  const auto got = overlay_of(request).read(NodeId(id), static_cast<std::uint64_t>(offset),
                                            room.first(std::min(size, room.size())));
  if (got) {
    (void)fuse_reply_buf(request, reinterpret_cast<const char*>(room.data()), *got);
  } else {
    (void)fuse_reply_err(request, got.error().value());
  }
}

void on_write(fuse_req_t request, fuse_ino_t id, const char* data, std::size_t size, off_t offset,
              struct fuse_file_info*) noexcept {
  const auto written = overlay_of(request).write(NodeId(id), static_cast<std::uint64_t>(offset),
                                                 std::as_bytes(std::span(data, size)),
                                                 wants_privileges_killed(current_request()));
  if (written) {
    (void)fuse_reply_write(request, size);
  } else {
    (void)fuse_reply_err(request, written.error().value());
  }
}

void on_fsync(fuse_req_t request, fuse_ino_t id, int data_only, struct fuse_file_info*) noexcept {
  reply(request, overlay_of(request).sync(NodeId(id), data_only != 0));
}

void on_fallocate(fuse_req_t request, fuse_ino_t id, int mode, off_t offset, off_t length,
                  struct fuse_file_info*) noexcept {
  reply(request, overlay_of(request).allocate(NodeId(id), mode, static_cast<std::uint64_t>(offset),
                                              static_cast<std::uint64_t>(length)));
}

void on_lseek(fuse_req_t request, fuse_ino_t id, off_t offset, int whence,
              struct fuse_file_info*) noexcept {
  if (static_cast<Served*>(fuse_req_userdata(request))->write_cache == WriteCache::kBack) {
    // The kernel passes this on before the writes that it gathers: we would call holes what is data. It answers by
    // itself from now on, that all is data.
    (void)fuse_reply_err(request, ENOSYS);
    return;
  }
  const auto found =
      overlay_of(request).seek(NodeId(id), static_cast<std::uint64_t>(offset), whence);
  if (found) {
    (void)fuse_reply_lseek(request, static_cast<off_t>(*found));
  } else {
    (void)fuse_reply_err(request, found.error().value());
  }
}

void on_copy_file_range(fuse_req_t request, fuse_ino_t from, off_t from_offset,
                        struct fuse_file_info*, fuse_ino_t to, off_t to_offset,
                        struct fuse_file_info*, std::size_t length, int) noexcept {
  const auto copied =
      overlay_of(request).copy_range(NodeId(from), static_cast<std::uint64_t>(from_offset),
                                     NodeId(to), static_cast<std::uint64_t>(to_offset), length);
  if (copied) {
    (void)fuse_reply_write(request, *copied);
  } else {
    (void)fuse_reply_err(request, copied.error().value());
  }
}

}  // namespace

void add_data_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.open = on_open;
  ops.opendir = on_open;
  // flush: not there, which is ENOSYS: close(2) sends nothing after the first time.
  ops.read = on_read;
  ops.write = on_write;
  ops.fsync = on_fsync;
  ops.fsyncdir = on_fsync;
  ops.fallocate = on_fallocate;
  ops.lseek = on_lseek;
  ops.copy_file_range = on_copy_file_range;
}

}  // namespace sbx::overlay
