#pragma once

// System calls for code that runs between clone() and execve(): nothing here allocates, formats, locks or
// throws. Kernel convention: >= 0 is the result, < 0 is -errno. Everybody else uses the rest of this room.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

struct stat;

namespace sbx::sys::raw {

inline constexpr int kCwd = -100;  // AT_FDCWD

// Files.
long open(int dir, const char* path, int flags, unsigned mode = 0) noexcept;
/// openat2(2) with the given RESOLVE_ flags. Since Linux 5.6.
long open_resolved(int dir, const char* path, int flags, unsigned mode,
                   std::uint64_t resolve) noexcept;
long close(int fd) noexcept;
long read(int fd, void* data, std::size_t size) noexcept;
long write(int fd, const void* data, std::size_t size) noexcept;
long fstat(int fd, struct stat* out) noexcept;
/// Starts reading into the page cache and does not wait. readahead(2); the kernel takes no more than the device's
/// read-ahead window of `size`, 128 KiB on FUSE.
long readahead(int fd, std::uint64_t offset, std::size_t size) noexcept;
long mkdir(int dir, const char* path, unsigned mode) noexcept;
long mknod_regular(int dir, const char* path, unsigned mode) noexcept;
long symlink(const char* target, int dir, const char* path) noexcept;
long chdir(const char* path) noexcept;
long fchdir(int fd) noexcept;
long fchmod(int fd, unsigned mode) noexcept;
/// Changes the owner, not the group.
long fchown(int fd, uid_t owner, gid_t group) noexcept;
/// Both times, as futimens(3).
long set_times(int fd, const timespec& time) noexcept;
long dup2(int from, int to) noexcept;
/// Every descriptor from `first` on is closed at execve. Since Linux 5.11.
long close_on_exec_from(unsigned first) noexcept;
long close_range(unsigned first, unsigned last) noexcept;
long umask(unsigned mask) noexcept;

// Mounts: mount(2), open_tree(2) and move_mount(2) since Linux 5.2, mount_setattr(2) since 5.12.
long mount(const char* source, const char* target, const char* type, unsigned long flags,
           const char* data) noexcept;
long umount_lazily(const char* target) noexcept;
/// A detached copy of what is mounted at `path`, with everything below it if `recursive`.
long open_tree_clone(int dir, const char* path, bool recursive) noexcept;
/// Attaches the detached mount `tree` at the file or directory that `target` refers to.
long move_mount(int tree, int target) noexcept;
struct MountAttributes {
  bool read_only = false;
  bool no_suid = false;
  bool no_dev = false;
  bool no_exec = false;
  bool make_private = false;
  bool make_slave = false;  // with make_private: that counts
};
long set_mount_attributes(int tree, const MountAttributes& attributes, bool recursive) noexcept;
long pivot_root(const char* new_root, const char* put_old) noexcept;
/// A new file system instance, detached: fsopen(2), fsconfig(2), fsmount(2), since Linux 5.2.
struct FsOption {
  const char* key;
  const char* value;  // nullptr: a flag
};
long make_mount(const char* type, std::span<const FsOption> options,
                const MountAttributes& attributes) noexcept;

// Identity.
long set_groups(const gid_t* groups, std::size_t count) noexcept;
long set_gid(gid_t gid) noexcept;
long set_uid(uid_t uid) noexcept;
/// Limits the bounding set to `mask` (bit n = capability n).
long limit_bounding_set(std::uint64_t mask, unsigned last_capability) noexcept;
/// Sets effective and permitted to `mask`, inheritable to nothing; clears the ambient set.
long set_capabilities(std::uint64_t mask) noexcept;
/// Keeps capabilities when the user id changes from 0 (PR_SET_KEEPCAPS).
long keep_capabilities(bool keep) noexcept;
long set_no_new_privs() noexcept;
long set_dumpable(bool dumpable) noexcept;
long set_parent_death_signal(int signal) noexcept;
long set_host_name(const char* name, std::size_t size) noexcept;
long set_process_name(const char* name) noexcept;
long new_session() noexcept;
long new_session_keyring() noexcept;
long set_controlling_terminal(int fd) noexcept;
/// Unlocks the pseudo terminal behind `master` and opens its other side. TIOCGPTPEER, since Linux 4.13.
long open_pty_peer(int master) noexcept;

// Processes and signals.
/// fork(2) without the C library's handlers: the caller has one thread and so has the child.
long fork() noexcept;
long execve(const char* path, char* const* argv, char* const* envp) noexcept;
[[noreturn]] void exit(int code) noexcept;
long kill(pid_t pid, int signal) noexcept;
struct Exit {
  pid_t pid;
  int code;  // exit code, or 128 + signal
};
/// One dead child, without waiting: 1 and `out`, 0 if there is none now, -ECHILD if there are no children.
long reap(Exit* out) noexcept;
/// Blocks or unblocks every signal, and sets all dispositions back to the default.
long block_all_signals() noexcept;
long unblock_all_signals() noexcept;
void default_all_signals() noexcept;
/// Waits for any blocked signal, and returns it; -EAGAIN after `ms` milliseconds without one (-1: waits for ever).
long wait_any_signal(int ms) noexcept;
/// CLOCK_MONOTONIC in nanoseconds.
std::int64_t monotonic_ns() noexcept;

/// Sends bytes and at most one descriptor (fd < 0: none) over a SOCK_SEQPACKET socket.
long send(int socket, const void* data, std::size_t size, int fd) noexcept;
/// Receives one message; *fd is -1 if none came with it. 0: the other side is gone.
long receive(int socket, void* data, std::size_t size, int* fd) noexcept;

}  // namespace sbx::sys::raw
