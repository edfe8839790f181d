#include "store/staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <utility>

#include "sys/file.hpp"

namespace sbx::store {
namespace {

constexpr int kAttempts = 16;

std::string random_name() {
  std::random_device random;
  return fmt::format("staging/{:08x}{:08x}", random(), random());
}

Result<void> sync_dir(int dir, const std::string& path) {
  const sys::Fd fd = SBX_TRY(sys::open_at(dir, path, O_RDONLY | O_DIRECTORY));
  return sys::sync_fd(fd.get(), path);
}

}  // namespace

Result<Staging> Staging::open(const Store& store) {
  sys::FileLock lock = SBX_TRY(store.use_lock());
  for (int attempt = 0;; ++attempt) {
    const std::string name = random_name();
    Result<void> made = sys::make_dir_at(store.dir(), name, 0700);
    if (made) {
      return Staging(store, std::move(lock), name);
    }
    if (made.error().code != ErrorCode::kAlreadyExists || attempt == kAttempts) {
      return fail(std::move(made).error());
    }
  }
}

Staging::~Staging() {
  if (!name_.empty()) {
    std::ignore =
        sys::remove_tree_at(store_->dir(), name_);  // else it is garbage for the next command
  }
}

Staging::Staging(Staging&& other) noexcept
    : store_(other.store_),
      lock_(std::move(other.lock_)),
      name_(std::exchange(other.name_, std::string())),
      moves_(std::move(other.moves_)) {}

Result<sys::Fd> Staging::create(const std::string& name) {
  // 0444: from here on nobody, not even we, may change what others map.
  return sys::open_at(store_->dir(), path(name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
}

Result<sys::Fd> Staging::create_unnamed() {
  const std::string name = path("unnamed");
  sys::Fd file =
      SBX_TRY(sys::open_at(store_->dir(), name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  SBX_TRY(sys::unlink_at(store_->dir(), name));
  return file;
}

Result<void> Staging::add_blob(const sys::Fd& file, const std::string& name,
                               const oci::DigestBytes& digest) {
  SBX_TRY(sys::sync_fd(file.get(), name));
  moves_.push_back({path(name), Store::blob_path(digest), RENAME_NOREPLACE});
  return {};
}

Result<void> Staging::add_tree(const sys::Fd& file, const std::string& name,
                               const oci::ChainId& chain) {
  SBX_TRY(sys::sync_fd(file.get(), name));
  moves_.push_back({path(name), Store::tree_path(chain), 0});
  return {};
}

Result<void> Staging::add_blob(std::string_view data, const oci::DigestBytes& digest) {
  const std::string name = oci::digest_hex(digest);
  const bool added = std::any_of(moves_.begin(), moves_.end(), [&](const Move& move) {
    return move.from ==
           path(name);  // a manifest that was loaded may be the one that we would write
  });
  if (added || store_->has_blob(digest)) {
    return {};
  }
  const sys::Fd file = SBX_TRY(create(name));
  SBX_TRY(sys::write_full(file.get(), data, name));
  return add_blob(file, name, digest);
}

Result<void> Staging::publish() {
  for (const Move& move : moves_) {
    Result<void> moved =
        sys::rename_at(store_->dir(), move.from, store_->dir(), move.to, move.flags);
    if (!moved && moved.error().sys_errno == EINVAL) {
      moved = sys::rename_at(store_->dir(), move.from, store_->dir(),
                             move.to);  // NFS has no flags; same content
    }
    if (!moved && moved.error().code != ErrorCode::kAlreadyExists) {
      return moved;
    }
  }
  moves_.clear();
  SBX_TRY(sync_dir(store_->dir(), "blobs/sha256"));
  return sync_dir(store_->dir(), "tree");
}

}  // namespace sbx::store
