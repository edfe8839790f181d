#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// Two ends of a SOCK_SEQPACKET pair: messages keep their borders, descriptors can travel along
/// (raw::send, raw::receive), and each end sees when the other is gone.
struct ChannelPair {
  Fd ours;
  Fd theirs;
};
Result<ChannelPair> make_channel();

/// A pipe: bytes in one direction.
struct Pipe {
  Fd reader;
  Fd writer;
};
Result<Pipe> make_pipe();

/// The descriptor that comes with the next message; kSystem if the other side hung up first.
Result<Fd> receive_fd(int socket, std::string_view what);

}  // namespace sbx::sys
