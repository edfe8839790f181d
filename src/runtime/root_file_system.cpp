#include "runtime/root_file_system.hpp"

#include "overlay/fuse/file_system.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

std::vector<overlay::IdView::Range> ranges(const std::vector<sys::IdExtent>& extents) {
  std::vector<overlay::IdView::Range> out;
  for (const sys::IdExtent& extent : extents) {
    out.push_back({extent.inside, extent.count});
  }
  return out;
}

/// What the machine's id `outside` is called inside; itself if the sandbox does not have it.
std::uint32_t inside_id(const std::vector<sys::IdExtent>& extents, std::uint32_t outside) {
  for (const sys::IdExtent& extent : extents) {
    if (outside >= extent.outside && outside - extent.outside < extent.count) {
      return extent.inside + (outside - extent.outside);
    }
  }
  return outside;
}

overlay::IdView id_view(const RootFileSystem::Input& input) {
  const sys::IdMaps& maps = input.ids.identities.maps;
  if (input.ids.single) {
    return overlay::IdView::squash({maps.uids.front().inside, maps.gids.front().inside});
  }
  if (input.source.kind() == RootSource::Kind::kHost) {
    // The invoker's own files are the sandbox user's.
    return overlay::IdView::host(ranges(maps.uids), ranges(maps.gids),
                                 {input.invoker.uid, input.plan.credentials.uid},
                                 {input.invoker.gid, input.plan.credentials.gid});
  }
  if (input.source.kind() == RootSource::Kind::kDirectory) {
    // A tree that its owner unpacked has root's files under the owner's id: they are root's again inside.
    const sys::Invoker& who = input.invoker;
    return overlay::IdView::host(ranges(maps.uids), ranges(maps.gids),
                                 {who.uid, inside_id(maps.uids, who.uid)},
                                 {who.gid, inside_id(maps.gids, who.gid)});
  }
  return overlay::IdView::full(ranges(maps.uids), ranges(maps.gids));
}

overlay::DirLower directory_lower(RootSource& source) {
  overlay::DirLower lower;
  lower.root = source.take_directory();
  if (source.kind() == RootSource::Kind::kHost) {
    lower.live = true;
    // The sandbox has its own; the host's would also lead the server back into mounts of its own making.
    lower.exclude = {"proc", "sys", "dev", "run"};
  }
  return lower;
}

}  // namespace

struct RootFileSystem::Parts {
  std::unique_ptr<overlay::FileSystem> served;
};

RootFileSystem::RootFileSystem(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RootFileSystem::~RootFileSystem() = default;

Result<std::unique_ptr<RootFileSystem>> RootFileSystem::make(const Input& input) {
  overlay::ServeRequest request;
  if (input.source.kind() == RootSource::Kind::kImage) {
    request.lower = overlay::ImageLower{input.source.take_tree(), input.source.take_layers()};
  } else {
    request.lower = directory_lower(input.source);
  }
  if (input.plan.overlay) {
    request.listing = overlay::Listing::kWithAttributes;
  } else {
    request.upper = SBX_TRY(sys::open_at(input.container.fd(), "upper", O_RDONLY | O_DIRECTORY));
    request.work = SBX_TRY(sys::open_at(input.container.fd(), "work", O_RDONLY | O_DIRECTORY));
  }
  request.ids = id_view(input);
  // What is deleted at the end need not survive a power cut.
  request.durability = input.container.removed_at_end() ? overlay::Durability::kVolatile
                                                        : overlay::Durability::kDurable;
  request.time_requests = input.request.fs_stats;
  request.acls = input.request.acls;
  if (input.request.storage.bytes != 0 || input.request.storage.files != 0) {
    request.quota = {input.request.storage.bytes, input.request.storage.files};
  }
  auto parts = std::make_unique<Parts>();
  parts->served = SBX_TRY(overlay::FileSystem::make(std::move(request)));
  return std::unique_ptr<RootFileSystem>(new RootFileSystem(std::move(parts)));
}

Result<std::unique_ptr<RootFileSystem>> RootFileSystem::make_shared_image(
    RootSource& source, std::vector<sys::Fd> layers, const IdChoice& ids, bool acls) {
  const sys::IdMaps& maps = ids.identities.maps;
  overlay::ServeRequest request;
  request.lower = overlay::ImageLower{source.take_tree(), std::move(layers)};
  request.listing = overlay::Listing::kWithAttributes;
  request.ids = overlay::IdView::full(ranges(maps.uids), ranges(maps.gids));
  request.acls = acls;
  auto parts = std::make_unique<Parts>();
  parts->served = SBX_TRY(overlay::FileSystem::make(std::move(request)));
  return std::unique_ptr<RootFileSystem>(new RootFileSystem(std::move(parts)));
}

Result<void> RootFileSystem::prepare() { return parts_->served->prepare(); }

Result<void> RootFileSystem::serve(sys::Fd device) {
  return parts_->served->serve(std::move(device));
}

std::string RootFileSystem::requests() const { return overlay::table(parts_->served->stats()); }

}  // namespace sbx::runtime
