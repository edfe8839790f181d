#include "sys/fuse_mount.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"

namespace sbx::sys {

namespace {

constexpr const char* kFusermount[] = {"/usr/bin/fusermount3", "/bin/fusermount3",
                                       "/usr/local/bin/fusermount3"};

Result<std::string> find_fusermount() {
  for (const char* path : kFusermount) {
    if (::access(path, X_OK) == 0) {
      return std::string(path);
    }
  }
  return fail(Error::make(ErrorCode::kNotFound, "find", "fusermount3", "not installed")
                  .with_hint("install fuse3, or run as root of a user namespace (unshare -Urm)"));
}

std::string flag_words(const FuseMount& mount) {
  struct Word {
    unsigned long flag;
    const char* text;
  };
  static constexpr Word kWords[] = {{MS_RDONLY, "ro"},
                                    {MS_NOEXEC, "noexec"},
                                    {MS_NOATIME, "noatime"},
                                    {MS_SYNCHRONOUS, "sync"},
                                    {MS_DIRSYNC, "dirsync"}};
  // nosuid and nodev are fusermount3's own; "noatime" and the like it passes on.
  std::string words = fmt::format("fsname={},subtype={}", mount.source, mount.type);
  for (const Word& word : kWords) {
    if ((mount.flags & word.flag) != 0) {
      words.append(",").append(word.text);
    }
  }
  words += mount.allow_other ? ",allow_other" : "";
  words += mount.default_permissions ? ",default_permissions" : "";
  words += mount.context.empty() ? "" : ",context=" + mount.context;
  return words;
}

/// The protocol of fuse(4)'s helper: it mounts, and sends the descriptor to the socket it was told of.
Result<Fd> mount_by_helper(const FuseMount& mount) {
  const std::string helper = SBX_TRY(find_fusermount());
  ChannelPair channel = SBX_TRY(make_channel());
  // One thread, so the environment is ours alone; the helper's end is its standard input.
  (void)::setenv("_FUSE_COMMFD", "0", 1);
  auto spawned = Child::spawn({helper, "-o", flag_words(mount), "--", mount.target}, STDOUT_FILENO,
                              STDERR_FILENO, channel.theirs.get());
  (void)::unsetenv("_FUSE_COMMFD");
  Child child = SBX_TRY(std::move(spawned));
  channel.theirs.reset();
  auto device = receive_fd(channel.ours.get(), "the mount from fusermount3");
  const ExitStatus status = SBX_TRY(child.wait());
  if (!device || status.shell_code() != 0) {
    return fail(Error::make(ErrorCode::kDenied, "mount at", mount.target, "fusermount3 refused"));
  }
  return device;
}

}  // namespace

Result<Fd> mount_fuse(const FuseMount& mount) {
  Fd device = SBX_TRY(open_at(AT_FDCWD, "/dev/fuse", O_RDWR));
  std::string data = fmt::format("fd={},rootmode={:o},user_id={},group_id={}", device.get(),
                                 static_cast<unsigned>(S_IFDIR), ::geteuid(), ::getegid());
  data += mount.allow_other ? ",allow_other" : "";
  data += mount.default_permissions ? ",default_permissions" : "";
  data += mount.context.empty() ? "" : ",context=" + mount.context;
  if (::mount(mount.source.c_str(), mount.target.c_str(), ("fuse." + mount.type).c_str(),
              mount.flags, data.c_str()) == 0) {
    return device;
  }
  if (errno == EPERM && ::geteuid() != 0) {
    return mount_by_helper(mount);
  }
  return fail(Error::system("mount at", mount.target));
}

Result<void> unmount_fuse(const std::string& target) {
  if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) == 0 ||
      ::umount2(target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
    return {};
  }
  if (errno != EPERM || ::geteuid() == 0) {
    return fail(Error::system("unmount", target));
  }
  Child child = SBX_TRY(Child::spawn({SBX_TRY(find_fusermount()), "-u", "-q", "-z", "--", target}));
  const ExitStatus status = SBX_TRY(child.wait());
  if (status.shell_code() != 0) {
    return fail(Error::make(ErrorCode::kSystem, "unmount", target, "fusermount3 refused"));
  }
  return {};
}

}  // namespace sbx::sys
