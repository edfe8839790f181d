#include "overlay/fuse/raw_ops.hpp"

#include <linux/fuse.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "overlay/core/overlay.hpp"
#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

namespace {

/// The arguments behind the header; zeros where the request is too short.
template <class Arguments>
Arguments arguments(std::span<const std::byte> request) noexcept {
  Arguments result{};
  const std::size_t offset = std::min(sizeof(struct fuse_in_header), request.size());
  const auto body = request.subspan(offset);
  std::memcpy(&result, body.data(), std::min(sizeof(result), body.size()));
  return result;
}

struct fuse_in_header header_of(std::span<const std::byte> request) noexcept {
  struct fuse_in_header header {};
  std::memcpy(&header, request.data(), std::min(sizeof(header), request.size()));
  return header;
}

void send(const RawRequest& request, std::uint64_t unique, int error, const void* body,
          std::size_t size) noexcept {
  struct fuse_out_header head {};
  head.len = static_cast<std::uint32_t>(sizeof(head) + size);
  head.error = -error;
  head.unique = unique;
  struct iovec parts[2] = {{&head, sizeof(head)},
                           {const_cast<void*>(body), size}};  // NOLINT: writev only reads
  // Fails if the request was interrupted or the connection is gone: nobody waits then.
  [[maybe_unused]] const ssize_t sent = ::writev(request.device, parts, 2);
}

struct fuse_attr to_wire(const Attr& attr) noexcept {
  struct fuse_attr wire {};
  wire.ino = attr.ino;
  wire.size = attr.size;
  wire.blocks = attr.blocks;
  wire.atime = static_cast<std::uint64_t>(attr.atime.tv_sec);
  wire.mtime = static_cast<std::uint64_t>(attr.mtime.tv_sec);
  wire.ctime = static_cast<std::uint64_t>(attr.ctime.tv_sec);
  wire.atimensec = static_cast<std::uint32_t>(attr.atime.tv_nsec);
  wire.mtimensec = static_cast<std::uint32_t>(attr.mtime.tv_nsec);
  wire.ctimensec = static_cast<std::uint32_t>(attr.ctime.tv_nsec);
  wire.mode = attr.mode;
  wire.nlink = attr.nlink;
  wire.uid = attr.owner.uid;
  wire.gid = attr.owner.gid;
  wire.blksize = kBlockSize;
  return wire;
}

void answer_tmpfile(Overlay& overlay, const RawRequest& request,
                    const struct fuse_in_header& header) noexcept {
  const auto wish = arguments<struct fuse_create_in>(request.bytes);
  const auto made = overlay.make_unnamed(NodeId(header.nodeid), wish.mode,
                                         {{header.uid, header.gid}, wish.umask});
  if (!made) {
    send(request, header.unique, made.error().value(), nullptr, 0);
    return;
  }
  struct {
    struct fuse_entry_out entry;
    struct fuse_open_out open;
  } body{};
  body.entry.nodeid = made->id.get();
  body.entry.entry_valid = static_cast<std::uint64_t>(kForeverSeconds);
  body.entry.attr_valid = static_cast<std::uint64_t>(kForeverSeconds);
  body.entry.attr = to_wire(made->attr);
  body.open.open_flags = FOPEN_KEEP_CACHE;
  send(request, header.unique, 0, &body, sizeof(body));
}

/// The long form of FUSE_SETXATTR, which has flags where the short one has the name: 0 or 1, no letter.
bool is_long_setxattr(const RawRequest& request, const struct fuse_in_header& header) noexcept {
  return header.opcode == FUSE_SETXATTR &&
         arguments<struct fuse_setxattr_in>(request.bytes).setxattr_flags <=
             FUSE_SETXATTR_ACL_KILL_SGID;
}

void answer_setxattr(Overlay& overlay, const RawRequest& request,
                     const struct fuse_in_header& header) noexcept {
  const auto wish = arguments<struct fuse_setxattr_in>(request.bytes);
  const std::size_t head = sizeof(header) + sizeof(wish);
  const auto rest = request.bytes.subspan(std::min(head, request.bytes.size()));
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  const std::size_t end = text.find('\0');
  int error = EINVAL;
  if (!overlay.serves_xattrs()) {
    error = ENOSYS;
  } else if (end != std::string_view::npos && wish.size <= rest.size() - end - 1) {
    const auto set = overlay.set_xattr(
        NodeId(header.nodeid), text.substr(0, end), rest.subspan(end + 1, wish.size),
        static_cast<int>(wish.flags), wish.setxattr_flags == FUSE_SETXATTR_ACL_KILL_SGID);
    error = set ? 0 : set.error().value();
  }
  send(request, header.unique, error, nullptr, 0);
}

}  // namespace

bool answer_raw(Overlay& overlay, const RawRequest& request,
                const struct fuse_in_header& header) noexcept {
  if (header.opcode == FUSE_TMPFILE) {
    answer_tmpfile(overlay, request, header);
  } else if (is_long_setxattr(request, header)) {
    answer_setxattr(overlay, request, header);
  } else {
    return false;
  }
  return true;
}

void patch_init_reply(std::span<const std::byte> request, struct iovec* parts, int count) noexcept {
  if (header_of(request).opcode != FUSE_INIT || count < 2 ||
      parts[1].iov_len < offsetof(struct fuse_init_out, flags) + 4) {
    return;
  }
  const std::uint32_t offered = arguments<struct fuse_init_in>(request).flags;
  auto* flags = static_cast<std::byte*>(parts[1].iov_base) + offsetof(struct fuse_init_out, flags);
  std::uint32_t value = 0;
  std::memcpy(&value, flags, sizeof(value));
  if ((offered & FUSE_HANDLE_KILLPRIV_V2) != 0) {
    value = (value & ~static_cast<std::uint32_t>(FUSE_HANDLE_KILLPRIV)) | FUSE_HANDLE_KILLPRIV_V2;
  }
  value |= offered & FUSE_SETXATTR_EXT;
  std::memcpy(flags, &value, sizeof(value));
}

bool wants_privileges_killed(const RawRequest& request) noexcept {
  const std::uint32_t opcode = header_of(request.bytes).opcode;
  if (opcode == FUSE_SETATTR) {
    return (arguments<struct fuse_setattr_in>(request.bytes).valid & FATTR_KILL_SUIDGID) != 0;
  }
  return opcode == FUSE_WRITE && (arguments<struct fuse_write_in>(request.bytes).write_flags &
                                  FUSE_WRITE_KILL_SUIDGID) != 0;
}

}  // namespace sbx::overlay
