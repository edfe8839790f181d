// Listing directories.

#include <algorithm>
#include <string>

#include "overlay/fuse/ops.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

namespace {

/// Packs entries the way the kernel wants them.
class Packer final : public DirSink {
 public:
  Packer(fuse_req_t request, std::span<std::byte> room, ListKind kind)
      : request_(request), room_(room), kind_(kind) {}

  bool take(std::string_view name, const Entry& entry, std::uint64_t next) override {
    const std::string text(name);
    const std::span<std::byte> left = room_.subspan(used_);
    auto* at = reinterpret_cast<char*>(left.data());
    std::size_t size = 0;
    if (kind_ == ListKind::kWithAttributes) {
      struct fuse_entry_param param = to_entry(entry);
      // Without an id the kernel takes the name, number and type and makes no node of it.
      param.attr = to_stat(entry.attr);
      size = fuse_add_direntry_plus(request_, at, left.size(), text.c_str(), &param,
                                    static_cast<off_t>(next));
    } else {
      const struct stat st = to_stat(entry.attr);
      size =
          fuse_add_direntry(request_, at, left.size(), text.c_str(), &st, static_cast<off_t>(next));
    }
    if (size > left.size()) {
      return false;
    }
    used_ += size;
    return true;
  }

  void restart() override { used_ = 0; }

  [[nodiscard]] std::span<const std::byte> packed() const { return room_.first(used_); }

 private:
  fuse_req_t request_;
  std::span<std::byte> room_;
  ListKind kind_;
  std::size_t used_ = 0;
};

void list(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
          ListKind kind) noexcept {
  const std::span<std::byte> room = current_request().room;
  Packer packer(request, room.first(std::min(size, room.size())), kind);
  const auto listed =
      overlay_of(request).list(NodeId(id), static_cast<std::uint64_t>(offset), kind, packer);
  const auto packed = packer.packed();
  // An error after some entries shows at the next read, which begins there.
  if (listed || !packed.empty()) {
    (void)fuse_reply_buf(request, reinterpret_cast<const char*>(packed.data()), packed.size());
  } else {
    (void)fuse_reply_err(request, listed.error().value());
  }
}

void on_readdir(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
                struct fuse_file_info*) noexcept {
  list(request, id, size, offset, ListKind::kPlain);
}

void on_readdirplus(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
                    struct fuse_file_info*) noexcept {
  list(request, id, size, offset, ListKind::kWithAttributes);
}

}  // namespace

void add_dir_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.readdir = on_readdir;
  ops.readdirplus = on_readdirplus;
}

}  // namespace sbx::overlay
