#include "sys/local_socket.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/raw.hpp"
#include "temporary_dir.hpp"

using namespace sbx;
using namespace sbx::sys;

TEST_CASE("a socket has a name in a directory of any length, and brings descriptors") {
  const TemporaryDir place;
  const std::string deep = place.path + "/" + std::string(200, 'd');
  REQUIRE(make_dirs(deep, 0700));
  const Fd dir = open_at(AT_FDCWD, deep, O_RDONLY | O_DIRECTORY).value();
  CHECK_FALSE(connect_at(dir.get(), "socket").value().has_value());
  Fd listener = listen_at(dir.get(), "socket").value();
  CHECK(listen_at(dir.get(), "socket").error().code == ErrorCode::kAlreadyExists);
  CHECK_FALSE(accept_own(listener.get()).value().has_value());
  const Fd theirs = *connect_at(dir.get(), "socket").value();
  const Fd ours = *accept_own(listener.get()).value();
  CHECK(receive_fd_within(ours.get(), 0, "nothing").error().sys_errno == ETIMEDOUT);
  REQUIRE(raw::send(theirs.get(), "d", 1, dir.get()) == 1);
  const Fd came = receive_fd_within(ours.get(), 1000, "a directory").value();
  CHECK(exists_at(came.get(), "socket"));
  // Nobody listens at what is left behind.
  listener.reset();
  CHECK(exists_at(dir.get(), "socket"));
  CHECK_FALSE(connect_at(dir.get(), "socket").value().has_value());
}
