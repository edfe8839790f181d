#pragma once

// Hands the mount of an image server out, and knows who uses it.

#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// One mount of an image for a sandbox, and what comes with it.
struct SharedImage {
  sys::Fd
      connection;  // hangs up when the image server is gone; when we hang up, it forgets us and kills our sandbox
  sys::Fd mount;           // detached, read-only
  sys::Fd user_namespace;  // in which, or below which, a process may look into it
};

/// What the two sides of a connection say, client first: the key; the mount and the user namespace, or a hang-up; a pidfd of
/// the sandbox's first process.
Result<SharedImage> ask_for_image(sys::Fd connection, const std::string& key);
/// The answer alone.
Result<SharedImage> receive_image(sys::Fd connection);
/// kSystem if the server is gone.
Result<void> tell_init(int connection, int pidfd);

struct ImageKeeperInput {
  int directory = -1;  // of socket and lock
  std::string socket;  // its name
  std::string lock;    // held by who replaces the socket
  sys::Fd listener;    // on that socket
  sys::Fd first;       // a connection of who knows the key
  std::string key;
  int user_namespace = -1;
  std::function<Result<sys::Fd>()> copy_mount;
};

/// Returns when the last client has hung up and the socket is gone.
void keep_image(ImageKeeperInput input);

}  // namespace sbx::runtime
