// Names to nodes, and nodes the kernel forgets.

#include "overlay/fuse/ops.hpp"

namespace sbx::overlay {

namespace {

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) noexcept {
  reply(request, overlay_of(request).lookup(NodeId(parent), name));
}

void on_forget(fuse_req_t request, fuse_ino_t id, std::uint64_t lookups) noexcept {
  overlay_of(request).forget(NodeId(id), lookups);
  fuse_reply_none(request);
}

void on_forget_multi(fuse_req_t request, std::size_t count,
                     struct fuse_forget_data* forgets) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    overlay_of(request).forget(NodeId(forgets[i].ino), forgets[i].nlookup);
  }
  fuse_reply_none(request);
}

}  // namespace

void add_lookup_ops(struct fuse_lowlevel_ops& ops) noexcept {
  ops.lookup = on_lookup;
  ops.forget = on_forget;
  ops.forget_multi = on_forget_multi;
}

}  // namespace sbx::overlay
