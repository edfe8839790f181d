#include "runtime/volume_claims.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <optional>

#include "runtime/container_tree.hpp"
#include "runtime/mount_options.hpp"
#include "runtime/tree_copy.hpp"
#include "runtime/tree_owner.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"
#include "sys/probe_run.hpp"
#include "sys/raw.hpp"
#include "sys/sync.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kData = "_data";
constexpr const char* kNew = "_new";
constexpr const char* kUnused = "unused";
// While another container fills it. A copy ends with the process that makes it, so this only guards against one that was stopped.
constexpr timespec kPause{0, 10'000'000};
constexpr int kTries = 60'000;  // ten minutes
constexpr int kCopySeconds = 3600;
constexpr mode_t kDefaultMode = 0755;

/// What `inside` is on the machine; nullopt if the sandbox has no such id.
std::optional<std::uint32_t> outside_id(const std::vector<sys::IdExtent>& extents,
                                        std::uint32_t inside) {
  for (const sys::IdExtent& extent : extents) {
    if (inside >= extent.inside && inside - extent.inside < extent.count) {
      return extent.outside + (inside - extent.inside);
    }
  }
  return std::nullopt;
}

/// What the machine's id `outside` is inside; that of nobody if the sandbox does not have it.
std::uint32_t inside_id(const std::vector<sys::IdExtent>& extents, std::uint32_t outside) {
  constexpr std::uint32_t kNobody = 65534;
  for (const sys::IdExtent& extent : extents) {
    if (outside >= extent.outside && outside - extent.outside < extent.count) {
      return extent.inside + (outside - extent.outside);
    }
  }
  return kNobody;
}

class Work {
 public:
  explicit Work(const VolumeClaims::Input& input) : in_(input) {}

  /// `action` as root of the sandbox: in its ids, or as we are where we are its root and have no other id. In a process of its own.
  Result<void> run_as_its_root(const std::function<Result<void>()>& action) {
    const auto tell = [&]() -> Result<std::string> {
      (void)sys::raw::umask(0);
      SBX_TRY(action());
      return std::string();
    };
    if (is_ours(0, 0) && in_.ids.single) {
      const sys::Trial done = sys::try_out(tell, kCopySeconds);
      return done.passed ? Result<void>()
                         : fail(Error::make(ErrorCode::kSystem, "work", "", done.text));
    }
    if (!namespace_) {
      const sandbox::Identities& ids = in_.ids.identities;
      namespace_ = SBX_TRY(sys::make_user_namespace(ids.maps, ids.writer, ids.deny_setgroups));
    }
    (void)SBX_TRY(sys::ask_in_user_namespace(namespace_.get(), [&]() -> Result<std::string> {
      if (is_root()) {  // who has no id there could make files only that nobody there may give away
        (void)sys::raw::set_gid(0);
        (void)sys::raw::set_uid(0);
      }
      return tell();
    }));
    return {};
  }

  [[nodiscard]] std::optional<std::uint32_t> outside_uid(uid_t uid) const {
    return outside_id(in_.ids.identities.maps.uids, uid);
  }
  [[nodiscard]] std::optional<std::uint32_t> outside_gid(gid_t gid) const {
    return outside_id(in_.ids.identities.maps.gids, gid);
  }
  /// The invoker is called so inside.
  [[nodiscard]] bool is_ours(uid_t uid, gid_t gid) const {
    return outside_uid(uid) == in_.invoker.uid && outside_gid(gid) == in_.invoker.gid;
  }
  /// Root of the machine, who has no id in the sandbox but may give files to any.
  [[nodiscard]] bool is_root() const { return in_.invoker.uid == 0 && !is_ours(0, 0); }

  [[nodiscard]] const VolumeClaims::Input& input() const { return in_; }

 private:
  const VolumeClaims::Input& in_;
  sys::Fd namespace_;  // with the sandbox's ids, once it is needed
};

/// One volume that nobody else mounts now, before its first use by this container.
class Filling {
 public:
  Filling(Work& work, const oci::SpecMount& mount, int dir)
      : work_(work), in_(work.input()), mount_(mount), dir_(dir) {}

  Result<void> run() {
    // One that we may not even list has been used.
    const Result<std::vector<std::string>> names = sys::list_dir(dir_, kData);
    const bool unused = sys::exists_at(dir_, kUnused);
    if (names && names->empty()) {
      SBX_TRY(fill(unused));
    }
    return unused ? sys::unlink_at(dir_, kUnused) : Result<void>();
  }

 private:
  Result<void> fill(bool unused) {
    const auto found = in_.source.look_at_directory(mount_.destination);
    const bool copies = found && !found->empty && !has_word(mount_, mount_word::kNoCopy);
    if (!copies && !unused) {
      return {};
    }
    choose_owner(found);
    if (!copies && work_.is_ours(uid_, gid_)) {
      return check(sys::at::change_mode(dir_, kData, mode_), "change the mode of");
    }
    SBX_TRY(remove_foreign_tree(dir_, kNew));
    SBX_TRY(sys::make_dir_at(dir_, kNew, S_IRWXU));
    const sys::Fd target = SBX_TRY(sys::open_at(dir_, kNew, O_RDONLY | O_DIRECTORY));
    if (Result<void> made = copies ? copy(target.get()) : give(target.get()); !made) {
      (void)remove_foreign_tree(dir_, kNew);  // the first failure is the one to tell
      return made;
    }
    if (copies && in_.synced) {
      SBX_TRY(sys::sync_file_system(target.get(), mount_.source));
    }
    return sys::rename_at(dir_, kNew, dir_, kData);
  }

  /// As podman: that of the image's directory; where it has none, the container's user can write.
  void choose_owner(const std::optional<RootSource::Directory>& found) {
    if (!found) {
      uid_ = in_.spec.process.user.uid;
      gid_ = in_.spec.process.user.gid;
      return;
    }
    mode_ = found->mode;
    const bool image = in_.source.kind() == RootSource::Kind::kImage;
    const sys::IdMaps& maps = in_.ids.identities.maps;
    uid_ = image ? found->uid : inside_id(maps.uids, found->uid);
    gid_ = image ? found->gid : inside_id(maps.gids, found->gid);
    // All owners show as the one that there is; others than there are, as nobody's.
    if (in_.ids.single || !work_.outside_uid(uid_)) {
      uid_ = in_.ids.single ? maps.uids.front().inside : 0;
    }
    if (in_.ids.single || !work_.outside_gid(gid_)) {
      gid_ = in_.ids.single ? maps.gids.front().inside : 0;
    }
  }

  Result<void> give_to_root(int target) {
    if (work_.is_root()) {
      return check(sys::at::change_owner(target, work_.outside_uid(0).value_or(0),
                                         work_.outside_gid(0).value_or(0)),
                   "change the owner of");
    }
    return {};
  }

  Result<void> copy(int target) {
    SBX_TRY(give_to_root(target));
    return explained(work_.run_as_its_root([&]() -> Result<void> {
      const std::unique_ptr<overlay::Lower> tree = SBX_TRY(in_.source.take_lower());
      const FsResult<overlay::LowerPin> from = find_directory(*tree, mount_.destination);
      if (!from) {
        return fail(Error::system("copy from the image", mount_.destination, from.error().value()));
      }
      return copy_tree(*tree, from->ref(), target,
                       in_.ids.single ? CopiedOwners::kOurs : CopiedOwners::kKept);
    }));
  }

  Result<void> give(int target) {
    SBX_TRY(give_to_root(target));
    return explained(work_.run_as_its_root([&]() -> Result<void> {
      SBX_TRY(check(sys::at::change_owner(target, uid_, gid_), "change the owner of"));
      return check(sys::at::change_mode(target, mode_), "change the mode of");
    }));
  }

  [[nodiscard]] Result<void> explained(Result<void> done) const {
    return done ? Result<void>()
                : fail(Error::make(ErrorCode::kSystem, "fill volume", mount_.source,
                                   done.error().reason));
  }

  [[nodiscard]] Result<void> check(FsResult<void> done, const char* verb) const {
    return done ? Result<void>()
                : fail(Error::system(std::string(verb) + " volume", mount_.source,
                                     done.error().value()));
  }

  Work& work_;
  const VolumeClaims::Input& in_;
  const oci::SpecMount& mount_;
  int dir_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  mode_t mode_ = kDefaultMode;
};

VolumeRecord record_of(const oci::SpecMount& mount) {
  VolumeRecord record;
  record.name = mount.source;
  record.anonymous = has_word(mount, mount_word::kAnonymous);
  for (const std::string& option : mount.options) {
    if (option.starts_with(mount_word::kLabel)) {
      const std::string text = option.substr(mount_word::kLabel.size());
      const std::size_t equals = text.find('=');
      record.labels[text.substr(0, equals)] =
          equals == std::string::npos ? "" : text.substr(equals + 1);
    }
  }
  return record;
}

/// nullopt: others have it, or it went just now; to be tried again.
Result<std::optional<sys::FileLock>> try_claim(Work& work, const VolumeStore& store,
                                               const oci::SpecMount& mount) {
  using Kind = sys::FileLock::Kind;
  const VolumeRecord record = record_of(mount);
  const bool made = SBX_TRY(store.create(record, record.anonymous ? work.input().container : ""));
  const auto lock = [&](Kind kind) -> Result<std::optional<sys::FileLock>> {
    auto locked = store.try_lock(mount.source, kind);
    return !locked && locked.error().code == ErrorCode::kNotFound
               ? Result<std::optional<sys::FileLock>>(std::optional<sys::FileLock>())
               : std::move(locked);
  };
  // Of a part of a volume nobody knows what it should be filled with.
  if ((made || work.input().fresh) && word_value(mount, mount_word::kSubpath).empty()) {
    if (const auto alone = SBX_TRY(lock(Kind::kExclusive))) {
      const sys::Fd dir = SBX_TRY(sys::open_at(store.fd(), mount.source, O_RDONLY | O_DIRECTORY));
      SBX_TRY(Filling(work, mount, dir.get()).run());
    }
  }
  return lock(Kind::kShared);
}

Result<sys::FileLock> claim(Work& work, const VolumeStore& store, const oci::SpecMount& mount) {
  for (int i = 0; i < kTries; ++i) {
    if (auto lock = SBX_TRY(try_claim(work, store, mount))) {
      return *std::move(lock);
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  return fail(Error::make(ErrorCode::kBusy, "use volume", mount.source, "another process has it"));
}

/// `U`: all that is mounted becomes the property of the container's user.
Result<void> give_to_user(Work& work, const oci::SpecMount& mount, const VolumeStore* store) {
  const oci::SpecUser& user = work.input().spec.process.user;
  const std::string path =
      mount.type == kVolumeType ? store->data_path(mount.source) : mount.source;
  const std::string below = word_value(mount, mount_word::kSubpath);
  const auto open_top = [&]() -> Result<sys::Fd> {
    if (below.empty()) {
      return sys::open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    }
    const sys::Fd top = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
    return sys::open_beneath(top.get(), below, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  };
  Result<void> given;
  if (work.is_root()) {
    const sys::Fd top = SBX_TRY(open_top());
    given = give_tree(top.get(), work.outside_uid(user.uid).value_or(0),
                      work.outside_gid(user.gid).value_or(0));
  } else if (!work.input().ids.single) {  // else all that may be is ours
    given = work.run_as_its_root([&]() -> Result<void> {
      const sys::Fd top = SBX_TRY(open_top());
      return give_tree(top.get(), user.uid, user.gid);
    });
  }
  return given ? Result<void>()
               : fail(Error::make(ErrorCode::kDenied, "mount with option U", path,
                                  given.error().reason)
                          .with_hint("files of others than the invoker and the ids of the sandbox "
                                     "cannot be given away"));
}

}  // namespace

Result<void> VolumeClaims::take(const Input& input) {
  Work work(input);
  std::optional<VolumeStore> store;
  for (const oci::SpecMount& mount : input.spec.mounts) {
    if (mount.type == kVolumeType) {
      if (!store) {
        store = SBX_TRY(VolumeStore::open(input.data_root));
      }
      locks_.push_back(SBX_TRY(claim(work, *store, mount)));
    }
  }
  for (const oci::SpecMount& mount : input.spec.mounts) {
    if (has_word(mount, mount_word::kChown)) {
      SBX_TRY(give_to_user(work, mount, store ? &*store : nullptr));
    }
  }
  return {};
}

std::vector<VolumeUse> volumes_of(const oci::RuntimeSpec& spec) {
  std::vector<VolumeUse> out;
  for (const oci::SpecMount& mount : spec.mounts) {
    const auto known = std::find_if(out.begin(), out.end(),
                                    [&](const VolumeUse& use) { return use.name == mount.source; });
    if (mount.type == kVolumeType && known == out.end()) {
      out.push_back({mount.source, has_word(mount, mount_word::kAnonymous)});
    }
  }
  return out;
}

}  // namespace sbx::runtime
