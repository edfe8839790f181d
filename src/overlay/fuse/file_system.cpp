#include "overlay/fuse/file_system.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <thread>

#include "overlay/core/lower_dir.hpp"
#include "overlay/core/lower_tree.hpp"
#include "overlay/fuse/session.hpp"

namespace sbx::overlay {

namespace {

/// Descriptors each of the two caches may hold: the limit, less what threads, layers and removed files need.
std::size_t open_files() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return 512;
  }
  return std::clamp<std::size_t>(limit.rlim_cur / 4, 16, 512);
}

Result<std::unique_ptr<Lower>> make_lower(ImageLower lower) {
  std::unique_ptr<Lower> made =
      SBX_TRY(LowerTree::make(std::move(lower.tree), std::move(lower.layers)));
  return made;
}

Result<std::unique_ptr<Lower>> make_lower(DirLower lower) {
  std::unique_ptr<Lower> made = SBX_TRY(
      LowerDir::make(std::move(lower.root), {lower.live, std::move(lower.exclude), open_files()}));
  return made;
}

Result<std::unique_ptr<Lower>> make_lower(StackLower lower) {
  std::unique_ptr<Lower> made =
      SBX_TRY(LowerDir::stack(std::move(lower.roots), {lower.live, {}, open_files()}));
  return made;
}

}  // namespace

Result<std::unique_ptr<FileSystem>> FileSystem::make(ServeRequest request) {
  Overlay::Options options;
  options.lower = SBX_TRY(std::visit([](auto&& lower) { return make_lower(std::move(lower)); },
                                     std::move(request.lower)));
  if (request.upper.valid()) {
    if (request.durability == Durability::kDurable) {
      request.upper_options.durability = sys::Durability::kSynced;
    }
    options.upper = SBX_TRY(
        Upper::open(std::move(request.upper), std::move(request.work), request.upper_options));
  }
  options.static_nlink = request.static_nlink;
  options.acls = request.acls;
  options.xattrs = request.xattrs;
  options.ids = std::move(request.ids);
  options.durability = request.durability;
  options.quota = request.quota;
  options.open_files = open_files();
  constexpr unsigned kMostUseful = 4;  // beyond that, the kernel's queue is what is waited for
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned threads =
      request.threads != 0 ? request.threads : std::min(processors, kMostUseful);
  return std::unique_ptr<FileSystem>(
      new FileSystem(SBX_TRY(Overlay::make(std::move(options))), threads, request));
}

FileSystem::FileSystem(std::unique_ptr<Overlay> overlay, unsigned threads, const ServeRequest& how)
    : overlay_(std::move(overlay)),
      threads_(threads),
      write_cache_(how.write_cache),
      listing_(how.listing),
      time_requests_(how.time_requests) {}

FileSystem::~FileSystem() = default;

Result<void> FileSystem::prepare() {
  SBX_TRY(overlay_->prepare());
  auto session = std::make_unique<Session>(Served{*overlay_, write_cache_, listing_}, threads_,
                                           time_requests_);
  SBX_TRY(session->prepare());
  session_ = std::move(session);
  return {};
}

Result<void> FileSystem::serve(sys::Fd device) {
  if (!session_) {
    SBX_TRY(prepare());
  }
  auto served = session_->run(std::move(device));
  stats_ = session_->stats();
  session_.reset();
  return served;
}

}  // namespace sbx::overlay
