#include "runtime/image_keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/local_socket.hpp"
#include "sys/lock.hpp"
#include "sys/ns.hpp"
#include "temporary_dir.hpp"

using namespace sbx;
using namespace sbx::runtime;

namespace {

/// A keeper in a thread, that hands out a file of the directory in the place of a mount.
class Kept {
 public:
  Kept() : directory_(sys::open_at(AT_FDCWD, place_.path, O_RDONLY | O_DIRECTORY).value()) {
    (void)sys::write_file_at(directory(), "mount", "of an image", 0600, sys::Durability::kCached);
    sys::ChannelPair channel = sys::make_channel().value();
    ImageKeeperInput input;
    input.directory = directory();
    input.socket = "socket";
    input.lock = "lock";
    input.listener = sys::listen_at(directory(), "socket").value();
    input.first = std::move(channel.theirs);
    input.key = "the key";
    input.user_namespace = directory();
    input.copy_mount = [this] { return sys::open_at(directory(), "mount", O_RDONLY); };
    ended_ = std::async(std::launch::async,
                        [input = std::make_shared<ImageKeeperInput>(std::move(input))] {
                          keep_image(std::move(*input));
                        });
    first = receive_image(std::move(channel.ours)).value();
  }
  ~Kept() { first = {}; }  // else the keeper does not end
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] bool ends() {
    return ended_.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
  }
  [[nodiscard]] bool runs() {
    return ended_.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout;
  }
  [[nodiscard]] Result<SharedImage> ask(const std::string& key) const {
    return ask_for_image(*sys::connect_at(directory(), "socket").value(), key);
  }

  SharedImage first;

 private:
  TemporaryDir place_;
  sys::Fd directory_;
  std::future<void> ended_;
};

}  // namespace

TEST_CASE("an image is served until the last one hangs up; then the socket is gone") {
  Kept kept;
  SharedImage second = kept.ask("the key").value();
  CHECK(sys::read_fd(second.mount.get(), 100, "mount").value() == "of an image");
  CHECK(sys::exists_at(second.user_namespace.get(), "mount"));
  kept.first = {};
  CHECK(kept.runs());
  CHECK(sys::exists_at(kept.directory(), "socket"));
  second = {};
  CHECK(kept.ends());
  CHECK_FALSE(sys::exists_at(kept.directory(), "socket"));
  CHECK_FALSE(sys::connect_at(kept.directory(), "socket").value().has_value());
}

TEST_CASE("who does not know the key gets nothing, and keeps nobody else from it") {
  Kept kept;
  CHECK_FALSE(kept.ask("another key").has_value());
  CHECK_FALSE(kept.ask("").has_value());
  CHECK_FALSE(kept.ask("the key and more").has_value());
  CHECK(kept.ask("the key").has_value());
}

TEST_CASE("a keeper does not end while somebody starts with the lock held") {
  Kept kept;
  {
    const auto lock =
        sys::FileLock::acquire(kept.directory(), "lock", sys::FileLock::Kind::kExclusive).value();
    kept.first = {};
    CHECK(kept.runs());
    kept.first = kept.ask("the key").value();  // answered, though we hold the lock
  }
  CHECK(kept.runs());
  kept.first = {};
  CHECK(kept.ends());
}

TEST_CASE("the sandbox of who hangs up is killed, and no other") {
  Kept kept;
  sys::Child mine = sys::Child::spawn({"/bin/sleep", "1000"}).value();
  sys::Child others = sys::Child::spawn({"/bin/sleep", "1000"}).value();
  SharedImage second = kept.ask("the key").value();
  REQUIRE(tell_init(kept.first.connection.get(), others.pidfd()));
  REQUIRE(tell_init(second.connection.get(), mine.pidfd()));
  second = {};
  CHECK(mine.wait().value().signal == SIGKILL);
  pollfd entry{others.pidfd(), POLLIN, 0};
  CHECK(::poll(&entry, 1, 50) == 0);
}

TEST_CASE("a server that is gone is told of") {
  sys::ChannelPair channel = sys::make_channel().value();
  channel.theirs.reset();
  CHECK(tell_init(channel.ours.get(), STDIN_FILENO).error().reason == "the image server is gone");
  CHECK_FALSE(ask_for_image(std::move(channel.ours), "key").has_value());
}
