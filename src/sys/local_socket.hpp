#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

// Sockets of this machine that have a name in a directory (unix(7), SOCK_SEQPACKET): messages keep their borders, descriptors
// travel along, each end sees when the other is gone. By /proc/self/fd, so that the 108 bytes of a socket's path do not count.

/// Listens at `name`, which must not be there (kAlreadyExists). The file stays when the descriptor is closed.
Result<Fd> listen_at(int dir, const std::string& name);

/// A connection to who listens there; nullopt if nobody does: no such file, or one that was left behind.
Result<std::optional<Fd>> connect_at(int dir, const std::string& name);

/// The next one who connected, if it is a process of our user; nullopt if there is none now, or it is somebody else's. Never waits,
/// nor does what is sent to it. The error EMFILE: we have too many descriptors.
Result<std::optional<Fd>> accept_own(int listener);

/// receive_fd() of a message that comes within `ms` milliseconds; ETIMEDOUT else.
Result<Fd> receive_fd_within(int socket, int ms, std::string_view what);

}  // namespace sbx::sys
