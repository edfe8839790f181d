#pragma once

// Whether a container shares the mount of its image with others, and getting it.

#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "runtime/identity.hpp"
#include "runtime/image_keeper.hpp"
#include "runtime/root_source.hpp"
#include "runtime/run_request.hpp"
#include "sandbox/plan.hpp"
#include "sys/lock.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

struct SharingInput {
  const RunRequest& request;
  RootSource& source;  // before its files are taken
  const IdChoice& ids;
  const sandbox::Plan& plan;
  const sys::Invoker& invoker;
  const std::string& data_root;
};

/// That a container uses an image, for as long as this lives. The first one to do so has a file system process of its own, which
/// starts sooner; those that come while it runs share one mount.
class ImageSharing {
 public:
  /// Never fails: what stands in the way of sharing is told to the log, and the container does without. The caller must have one thread.
  static ImageSharing begin(const SharingInput& input);

  ImageSharing() = default;
  ~ImageSharing();
  ImageSharing(ImageSharing&&) noexcept = default;
  ImageSharing& operator=(ImageSharing&&) noexcept = default;
  ImageSharing(const ImageSharing&) = delete;
  ImageSharing& operator=(const ImageSharing&) = delete;

  /// The shared mount, once; nullopt: the container mounts the image itself.
  std::optional<SharedImage> take() { return std::exchange(image_, std::nullopt); }

 private:
  Result<void> join(const SharingInput& input);

  sys::Fd directory_;
  std::string use_;  // the file whose shared lock says that the image is used
  std::optional<sys::FileLock> lock_;
  std::optional<SharedImage> image_;
};

}  // namespace sbx::runtime
