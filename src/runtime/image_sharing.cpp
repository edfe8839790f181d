#include "runtime/image_sharing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>

#include "base/log.hpp"
#include "runtime/image_server.hpp"
#include "runtime/image_share_key.hpp"
#include "sys/file.hpp"
#include "sys/file_identity.hpp"
#include "sys/local_socket.hpp"
#include "sys/runtime_dir.hpp"

namespace sbx::runtime {
namespace {

// Held while a server is started and while one goes, of whatever image: for some milliseconds.
constexpr const char* kStartLock = "images.lock";
constexpr int kStartMs = 5000;
// A server may be killed each time just before it answers; somebody must want that.
constexpr int kAttempts = 3;
constexpr std::size_t kMaxCgroup = std::size_t{64} << 10U;

bool can_share(const SharingInput& input) {
  // Without the set-uid programs (root, one id) there would be no gain in ids, and for our file system above an image no mount to share.
  return input.plan.overlay && input.source.kind() == RootSource::Kind::kImage &&
         input.ids.identities.writer == sys::MapWriter::kTools && !input.request.fs_stats;
}

std::vector<std::uint64_t> own_limits() {
  std::vector<std::uint64_t> out;
  for (const auto which : {RLIMIT_NPROC, RLIMIT_MSGQUEUE, RLIMIT_SIGPENDING, RLIMIT_MEMLOCK}) {
    rlimit limit{};
    (void)::getrlimit(which, &limit);  // cannot fail with such arguments
    out.push_back(limit.rlim_cur);
  }
  return out;
}

Result<std::string> key_of(const SharingInput& input) {
  ShareFacts facts;
  const sys::Fd program = SBX_TRY(sys::open_at(AT_FDCWD, "/proc/self/exe", O_PATH));
  facts.program = SBX_TRY(sys::identity_of(program.get(), "sbx"));
  facts.stores = input.data_root + ":" + sys::environment("SBX_IMAGE_STORES");
  facts.image = SBX_TRY(input.source.identity());
  facts.acls = input.request.acls;
  facts.maps = input.ids.identities.maps;
  const sys::Fd cgroup = SBX_TRY(sys::open_at(AT_FDCWD, "/proc/self/cgroup", O_RDONLY));
  facts.cgroup = SBX_TRY(sys::read_fd(cgroup.get(), kMaxCgroup, "/proc/self/cgroup"));
  facts.limits = own_limits();
  return share_key(facts);
}

/// nullopt: nobody listens, or who does is about to end.
Result<std::optional<SharedImage>> try_server(int directory, const std::string& socket,
                                              const std::string& key) {
  std::optional<sys::Fd> connection = SBX_TRY(sys::connect_at(directory, socket));
  if (!connection) {
    return std::optional<SharedImage>();
  }
  Result<SharedImage> image = ask_for_image(*std::move(connection), key);
  return image ? std::optional<SharedImage>(std::move(image).value())
               : std::optional<SharedImage>();
}

/// Not for ever: who holds it may have been stopped.
Result<sys::FileLock> start_lock(int directory) {
  for (int ms = 0; ms < kStartMs; ++ms) {
    auto lock =
        SBX_TRY(sys::FileLock::try_acquire(directory, kStartLock, sys::FileLock::Kind::kExclusive));
    if (lock) {
      return *std::move(lock);
    }
    (void)::poll(nullptr, 0, 1);
  }
  return fail(Error::make(ErrorCode::kBusy, "lock", kStartLock, "others hold it"));
}

Result<SharedImage> find_or_start(const SharingInput& input, int directory,
                                  const std::string& socket, const std::string& key) {
  if (auto image = SBX_TRY(try_server(directory, socket, key))) {
    return *std::move(image);
  }
  const sys::FileLock lock = SBX_TRY(start_lock(directory));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::optional<sys::Fd> connection = SBX_TRY(sys::connect_at(directory, socket));
    if (!connection) {
      return start_image_server({input.source, input.ids, input.plan, input.request.acls, directory,
                                 socket, kStartLock, key});
    }
    if (Result<SharedImage> image = ask_for_image(*std::move(connection), key)) {
      return image;
    }
  }
  return fail(Error::make(ErrorCode::kBusy, "share", "the image", "its server does not answer"));
}

}  // namespace

ImageSharing ImageSharing::begin(const SharingInput& input) {
  ImageSharing sharing;
  if (can_share(input)) {
    if (const Result<void> joined = sharing.join(input); !joined) {
      log::debug("the image is not shared: {}", joined.error().message());
    }
  }
  return sharing;
}

Result<void> ImageSharing::join(const SharingInput& input) {
  const std::string key = SBX_TRY(key_of(input));
  const std::string name = share_name(key);
  directory_ = SBX_TRY(sys::open_runtime_dir(input.invoker.uid));
  use_ = name + ".lock";
  lock_ =
      SBX_TRY(sys::FileLock::try_acquire(directory_.get(), use_, sys::FileLock::Kind::kExclusive));
  const bool alone = lock_.has_value();
  lock_.reset();
  lock_ = SBX_TRY(sys::FileLock::acquire(directory_.get(), use_, sys::FileLock::Kind::kShared));
  if (alone) {
    return {};
  }
  image_ = SBX_TRY(find_or_start(input, directory_.get(), name, key));
  return {};
}

ImageSharing::~ImageSharing() {
  if (!lock_) {
    return;
  }
  lock_.reset();
  // Who takes the file for the right one meanwhile and is alone with it mounts the image once more; nothing worse.
  const auto last =
      sys::FileLock::try_existing(directory_.get(), use_, sys::FileLock::Kind::kExclusive);
  if (last && last->has_value()) {
    (void)sys::unlink_at(directory_.get(), use_);
  }
}

}  // namespace sbx::runtime
