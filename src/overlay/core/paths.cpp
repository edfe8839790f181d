// From nodes to descriptors and paths.

#include <fcntl.h>
#include <limits.h>

#include "overlay/core/overlay.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

FsResult<std::string> Overlay::upper_path(const Node& dir) noexcept {
  std::vector<const std::string*> parts;
  std::size_t length = 0;
  for (const Node* at = &dir; at->id != kRootNode; at = at->links.front().dir) {
    if (at->links.empty()) {
      return no(ESTALE);
    }
    parts.push_back(&at->links.front().name);
    length += parts.back()->size() + 1;
  }
  if (length > PATH_MAX) {
    return no(ENAMETOOLONG);
  }
  std::string path;
  path.reserve(length);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    path.append(path.empty() ? "" : "/").append(**part);
  }
  return path;
}

FsResult<FdRef> Overlay::dir_fd(Node& dir) noexcept {
  if (FdRef known = fds_.find(dir.id.get())) {
    return known;
  }
  if (dir.id == kRootNode) {
    return fds_.put(dir.id.get(),
                    SBX_TRY(sys::at::open(upper_->root(), ".", O_RDONLY | O_DIRECTORY)));
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  const auto path = upper_path(dir);
  if (path) {
    return fds_.put(dir.id.get(),
                    SBX_TRY(sys::at::open_beneath(upper_->root(), path->c_str(), kFlags)));
  }
  if (path.error() != Errno(ENAMETOOLONG)) {
    return fail(path.error());
  }
  // Deeper than a path can be long: step by step.
  const FdRef above = SBX_TRY(dir_fd(*dir.links.front().dir));
  return fds_.put(dir.id.get(),
                  SBX_TRY(sys::at::open(above->get(), dir.links.front().name.c_str(), kFlags)));
}

FsResult<FdRef> Overlay::file_fd(Node& node) noexcept {
  if (node.pinned) {
    return node.pinned;
  }
  if (FdRef known = fds_.find(node.id.get())) {
    return known;
  }
  // A fifo or socket somebody else put there must not block us.
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK;
  if (!node.work_name.empty()) {
    return fds_.put(node.id.get(),
                    SBX_TRY(sys::at::open(upper_->work(), node.work_name.c_str(), kFlags)));
  }
  if (node.links.empty()) {
    return no(ESTALE);
  }
  const Node::Link& link = node.links.front();
  const FdRef dir = SBX_TRY(dir_fd(*link.dir));
  return fds_.put(node.id.get(), SBX_TRY(sys::at::open(dir->get(), link.name.c_str(), kFlags)));
}

FsResult<FdRef> Overlay::any_fd(Node& node) noexcept {
  if (S_ISDIR(node.mode)) {
    return dir_fd(node);
  }
  if (node.by_name) {
    return no(EOPNOTSUPP);
  }
  return file_fd(node);
}

FsResult<std::string> Overlay::lower_path(LowerRef ref) noexcept {
  constexpr int kMaxDepth = 4096;  // a hostile tree may have loops
  std::string path;
  for (int depth = 0; ref != kLowerRoot; ++depth) {
    const std::vector<Lower::Place> places = SBX_TRY(lower_->places(ref));
    path.insert(0, "/" + places.front().name);
    ref = places.front().dir;
    if (depth > kMaxDepth || path.size() > 65536) {
      return no(ENAMETOOLONG);
    }
  }
  return path.empty() ? std::string("/") : path;
}

}  // namespace sbx::overlay
