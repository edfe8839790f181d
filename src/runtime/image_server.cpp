#include "runtime/image_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <thread>
#include <utility>
#include <vector>

#include "runtime/root_file_system.hpp"
#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/isolate.hpp"
#include "sys/local_socket.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

constexpr int kExitFailure = 1;
constexpr std::size_t kMaxMessage = 1024;
constexpr std::size_t kShortId = 12;

Result<void> tell(int channel, std::string_view message) {
  const long sent = sys::raw::send(channel, message.data(), message.size(), -1);
  return sent >= 0 ? Result<void>()
                   : fail(Error::system("talk to", "sbx", static_cast<int>(-sent)));
}

/// Waits for the other side's next step.
Result<void> hear(int channel, char step) {
  std::string said(kMaxMessage, '\0');
  int none = -1;
  const long got = sys::raw::receive(channel, said.data(), said.size(), &none);
  if (got > 0 && said.front() == step) {
    return {};
  }
  said.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return fail(Error::make(ErrorCode::kSystem, "start the image server", "",
                          said.empty() ? "it ended" : said));
}

/// Everything that the server works with, in its own process.
class ImageServer {
 public:
  ImageServer(const ImageServerInput& input, sys::Fd listener, sys::Fd channel)
      : in_(input), listener_(std::move(listener)), channel_(std::move(channel)) {}

  /// Serves until nobody uses the image any more.
  Result<void> run() {
    SBX_TRY(let_go());
    SBX_TRY(sys::enter_new_namespaces());
    SBX_TRY(tell(channel_.get(), "n"));
    SBX_TRY(hear(channel_.get(), 'm'));  // the id maps are written
    user_namespace_ = SBX_TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/user", O_RDONLY));
    // Nothing is left to do between the mount and its first answer: a sandbox waits for it.
    SBX_TRY(file_system_->prepare());
    SBX_TRY(mount_image());
    SBX_TRY(limit());
    std::thread([this] {
      keep();
      sys::raw::exit(0);
    }).detach();
    // Threads that answer requests need no right at all.
    (void)sys::raw::set_capabilities(0);  // giving up cannot fail
    return file_system_->serve(std::move(device_));
  }

  /// The other side takes what it does not know for a failure.
  void explain(const Error& error) { (void)tell(channel_.get(), error.message()); }

 private:
  /// Whatever we had of who started us: its terminal, pipes, locks, current directory.
  Result<void> let_go() {
    (void)sys::raw::new_session();  // cannot fail in a new process
    std::vector<sys::Fd> layers = in_.source.take_layers();
    std::vector<int> kept{listener_.get(), channel_.get(), in_.directory};
    for (const sys::Fd& layer : layers) {
      kept.push_back(layer.get());
    }
    SBX_TRY(sys::forget_stderr(SBX_TRY(sys::forget_descriptors(kept))));
    file_system_ = SBX_TRY(
        RootFileSystem::make_shared_image(in_.source, std::move(layers), in_.ids, in_.acls));
    return {};
  }

  Result<void> mount_image() {
    device_ = SBX_TRY(sys::open_at(AT_FDCWD, "/dev/fuse", O_RDWR));
    const std::string device = std::to_string(device_.get());
    // The superblock itself is read-only: no mount of it can be made writable.
    std::vector<sys::raw::FsOption> options{{"fd", device.c_str()}, {"ro", nullptr}};
    for (const auto& [key, value] : in_.plan.root_options) {
      options.push_back({key.c_str(), value.empty() ? nullptr : value.c_str()});
    }
    const long made = sys::raw::make_mount("fuse", options, {.read_only = true});
    if (made < 0) {
      return fail(Error::system("mount", "the image", static_cast<int>(-made)));
    }
    mount_ = sys::Fd(static_cast<int>(made));
    // The host's mounts are not to be kept from being unmounted.
    return sys::enter_root_with(mount_.get());
  }

  static Result<void> limit() {
    // For open_tree(2), and to end a sandbox whose supervisor is gone.
    const sys::CapabilityMask kept = SBX_TRY(sys::capabilities({"sys_admin", "kill"}));
    (void)sys::raw::limit_bounding_set(0,
                                       sys::last_capability());  // of programs that we never start
    if (const long set = sys::raw::set_capabilities(kept); set < 0) {
      return fail(Error::system("limit", "capabilities", static_cast<int>(-set)));
    }
    (void)sys::raw::set_no_new_privs();
    (void)sys::raw::set_dumpable(false);
    return {};
  }

  void keep() {
    ImageKeeperInput keeper;
    keeper.directory = in_.directory;
    keeper.socket = in_.socket;
    keeper.lock = in_.lock;
    keeper.listener = std::move(listener_);
    keeper.first = std::move(channel_);
    keeper.key = in_.key;
    keeper.user_namespace = user_namespace_.get();
    keeper.copy_mount = [this]() -> Result<sys::Fd> {
      const long copy = sys::raw::open_tree_clone(mount_.get(), "", false);
      return copy >= 0 ? Result<sys::Fd>(sys::Fd(static_cast<int>(copy)))
                       : fail(Error::system("copy", "a mount", static_cast<int>(-copy)));
    };
    keep_image(std::move(keeper));
  }

  const ImageServerInput& in_;
  sys::Fd listener_;
  sys::Fd channel_;
  sys::Fd user_namespace_;
  sys::Fd device_;
  sys::Fd mount_;
  std::unique_ptr<RootFileSystem> file_system_;
};

[[noreturn]] void become_image_server(const ImageServerInput& input, sys::Fd listener,
                                      sys::Fd channel) {
  const std::string chain = input.source.chain();
  const std::string title = "sbx: image " + chain.substr(chain.find(':') + 1).substr(0, kShortId);
  input.plan.title.overwrite(title.c_str());
  (void)sys::raw::set_process_name("sbx: image");
  sys::reset_signals_for_role();
  ImageServer server(input, std::move(listener), std::move(channel));
  const Result<void> served = server.run();
  if (!served) {
    server.explain(served.error());
  }
  // Not exit(): destructors and exit handlers of the supervisor's image of memory are not ours to run.
  sys::raw::exit(served ? 0 : kExitFailure);
}

Result<SharedImage> wait_for_server(const ImageServerInput& input, pid_t server, sys::Fd channel) {
  const sandbox::Identities& ids = input.ids.identities;
  SBX_TRY(hear(channel.get(), 'n'));
  sys::MapWriting maps =
      SBX_TRY(sys::MapWriting::start(server, ids.maps, ids.writer, ids.deny_setgroups));
  SBX_TRY(maps.finish());
  SBX_TRY(tell(channel.get(), "m"));
  return receive_image(std::move(channel));
}

}  // namespace

Result<SharedImage> start_image_server(const ImageServerInput& input) {
  (void)sys::unlink_at(input.directory, input.socket);  // of one that was killed, or none
  sys::Fd listener = SBX_TRY(sys::listen_at(input.directory, input.socket));
  sys::ChannelPair channel = SBX_TRY(sys::make_channel());
  sys::Cloned cloned = SBX_TRY(sys::fork_role());
  if (cloned.pid == 0) {
    become_image_server(input, std::move(listener), std::move(channel.theirs));
  }
  channel.theirs.reset();
  sys::Child server(cloned.pid, std::move(cloned.pidfd));
  Result<SharedImage> image = wait_for_server(input, server.pid(), std::move(channel.ours));
  if (!image) {
    (void)sys::unlink_at(input.directory, input.socket);  // nobody listens there
    return image;
  }
  server.release();
  return image;
}

}  // namespace sbx::runtime
