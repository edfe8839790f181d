#include "runtime/supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <vector>

#include "runtime/image_share_key.hpp"
#include "runtime/roles.hpp"
#include "runtime/volumes.hpp"
#include "sandbox/stage.hpp"
#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"
#include "sys/text_pages.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

// How long a process may take for what it does by itself, before it is killed.
constexpr int kGraceMs = 5000;

sys::Namespaces namespaces_of(const sandbox::Plan& plan) {
  sys::Namespaces wanted;
  wanted.net = plan.network != sandbox::Network::kHost;
  return wanted;
}

/// Waits at most `ms` for the process behind `pidfd`. True if it has ended.
bool ends_within(int pidfd, int ms) {
  pollfd entry{pidfd, POLLIN, 0};
  return ::poll(&entry, 1, ms) == 1;
}

std::string how_it_ended(const sys::ExitStatus& status) {
  return status.signal != 0 ? fmt::format("signal {} killed it", status.signal)
                            : fmt::format("it ended with code {}", status.code);
}

class Supervisor {
 public:
  explicit Supervisor(SupervisorInput input) : in_(std::move(input)), prepared_(in_.plan) {
    if (in_.instead) {
      prepared_.run_instead(in_.instead);
    }
  }

  Result<int> run() {
    SBX_ASSERT(sys::single_threaded());
    streams_ =
        in_.detached
            ? SBX_TRY(Streams::make_detached(*in_.detached, in_.interactive, in_.plan.terminal))
            : SBX_TRY(Streams::make(in_.interactive, in_.plan.terminal));
    signals_.emplace(SBX_TRY(sys::SignalFd::make()));
    SBX_TRY(start_init());
    mark("namespaces made");
    if (Result<void> let = in_.joined >= 0 ? Result<void>() : let_go(); !let) {
      read_last_report();  // if init has failed meanwhile, ours is only what follows from it
      return fail(failure_ ? std::move(*failure_) : std::move(let).error());
    }
    wait_for_end();
    finish();
    if (failure_) {
      return fail(std::move(*failure_));
    }
    return exit_code_;
  }

 private:
  void mark(std::string name) {
    if (in_.timings != nullptr) {
      in_.timings->mark(std::move(name));
    }
  }

  /// Everything that init waits for.
  Result<void> let_go() {
    const sandbox::Identities& ids = in_.plan.identities;
    sys::MapWriting maps;
    if (in_.shared) {
      SBX_TRY(tell_init(in_.shared->connection.get(), init_.pidfd()));
    } else {
      maps = SBX_TRY(sys::MapWriting::start(init_.pid(), ids.maps, ids.writer, ids.deny_setgroups));
    }
    mark("id maps begun");
    file_system_ = SBX_TRY(in_.prepare(init_.pid()));
    mark("container written");
    SBX_TRY(start_roles());
    mark("processes forked");
    SBX_TRY(maps.finish());
    mark("id maps written");
    if (in_.user_namespace != nullptr) {  // before init hides its /proc files
      *in_.user_namespace = in_.shared ? std::move(in_.shared->user_namespace)
                                       : SBX_TRY(sys::user_namespace_of(init_.pid()));
    }
    return send_go();
  }

  Result<void> start_init() {
    sys::ChannelPair control = SBX_TRY(sys::make_channel());
    sys::ChannelPair fuse = SBX_TRY(sys::make_channel());
    sys::ChannelPair net = SBX_TRY(sys::make_channel());
    sandbox::StageFds fds;
    fds.control = control.theirs.get();
    fds.fuse = fuse.theirs.get();
    fds.net = net.theirs.get();
    streams_.give_to(fds);
    const auto begin = [&] {
      // Ours ends stay open here until execve: the kernel kills us with the supervisor, so nobody waits for a hang-up.
      (void)sys::raw::close(control.ours.get());
      if (in_.joined >= 0) {
        sandbox::run_joined(prepared_, fds);
      }
      sandbox::run_stage(prepared_, fds);
    };
    sys::Cloned clone;
    if (in_.joined >= 0) {
      clone = SBX_TRY(sys::clone_joined(in_.joined, namespaces_of(in_.plan), begin));
    } else if (in_.shared) {
      fds.root = in_.shared->mount.get();
      clone = SBX_TRY(sys::clone_inside(in_.shared->user_namespace.get(), namespaces_of(in_.plan),
                                        inside_maps(in_.plan.identities.maps), begin));
      in_.shared->mount.reset();
    } else {
      clone = SBX_TRY(sys::clone_into(namespaces_of(in_.plan)));
      if (clone.pid == 0) {
        begin();
      }
    }
    init_ = sys::Child(clone.pid, std::move(clone.pidfd));
    control_ = std::move(control.ours);
    fuse_channel_ = std::move(fuse.ours);
    net_channel_ = std::move(net.ours);
    streams_.close_given();
    return {};
  }

  Result<void> start_roles() {
    // Made after init: whoever else holds the writing end would hide our death.
    sys::Pipe lifeline = SBX_TRY(sys::make_pipe());
    if (!shares_ || raw_terminal()) {
      sys::Cloned fs = SBX_TRY(sys::fork_role());
      if (fs.pid == 0) {
        lifeline.writer.reset();
        become_fs_role(lifeline.reader.get());
      }
      fs_ = sys::Child(fs.pid, std::move(fs.pidfd));
    }
    if (in_.plan.network == sandbox::Network::kTap) {
      sys::Cloned net = SBX_TRY(sys::fork_role());
      if (net.pid == 0) {
        lifeline.writer.reset();
        become_net_role(lifeline.reader.get());
      }
      net_ = sys::Child(net.pid, std::move(net.pidfd));
    }
    fuse_channel_.reset();
    net_channel_.reset();
    file_system_.reset();  // the file system process has it now
    lifeline_ = std::move(lifeline.writer);
    return {};
  }

  [[nodiscard]] bool raw_terminal() const {
    return in_.plan.terminal && in_.interactive && !in_.detached;
  }

  [[noreturn]] void become_fs_role(int lifeline) {
    control_.reset();
    streams_ = Streams();  // a pipe of which we hold an end has no end of file
    if (in_.detached) {
      *in_.detached->watched_by = Attachments();
    }
    in_.shared.reset();
    net_channel_.reset();
    FsRole role;
    role.file_system = std::move(file_system_);
    role.channel = fuse_channel_.get();
    role.lifeline = lifeline;
    role.init = init_.pidfd();
    role.name = in_.plan.id.substr(0, 12);
    role.title = in_.plan.title;
    role.terminal = raw_terminal();
    role.tell_requests = in_.tell_requests;
    run_fs_role(std::move(role));
  }

  [[noreturn]] void become_net_role(int lifeline) {
    NetRole role;
    role.unprivileged_id = in_.unprivileged_id;
    role.channel = net_channel_.get();
    role.lifeline = lifeline;
    role.name = in_.plan.id.substr(0, 12);
    role.title = in_.plan.title;
    run_net_role(role);
  }

  Result<void> send_go() {
    const long sent = sys::raw::send(control_.get(), "g", 1, -1);
    if (sent < 0 && sent != -EPIPE) {  // EPIPE: init is gone, its report says why
      return fail(Error::system("start the sandbox", "", static_cast<int>(-sent)));
    }
    return {};
  }

  void wait_for_end() {
    while (init_.running()) {
      std::vector<pollfd> polls{{signals_->fd(), POLLIN, 0}, {init_.pidfd(), POLLIN, 0}};
      for (const sys::Child* helper : {&fs_, &net_}) {
        polls.push_back({helper->running() ? helper->pidfd() : -1, POLLIN, 0});
      }
      polls.push_back({control_ ? control_.get() : -1, POLLIN, 0});
      polls.push_back({in_.shared ? in_.shared->connection.get() : -1, POLLIN, 0});
      streams_.add_poll(polls);
      if (in_.health != nullptr) {
        in_.health->add_poll(polls);
      }
      wait_for_events(polls);
      if (in_.health != nullptr) {
        in_.health->handle(polls);
      }
      if (polls[4].revents != 0) {
        handle_control();
      }
      if (polls[0].revents != 0) {
        handle_signals();
      }
      streams_.handle(polls);
      watch_image_server();
      if (polls[1].revents != 0) {
        note_end();
      } else {
        watch_helpers(polls[2].revents != 0, polls[3].revents != 0);
      }
    }
  }

  /// Comes back without events if it is time for a health check.
  void wait_for_events(std::vector<pollfd>& polls) {
    const int due = in_.health != nullptr ? in_.health->timeout() : -1;
    if (settling_ && (due < 0 || due > sys::kSettledMs)) {
      if (poll_all(polls, sys::kSettledMs)) {
        return;
      }
      settling_ = false;
      sys::drop_text_pages();  // and wait on at once: all that runs in between comes back
    }
    (void)poll_all(polls, in_.health != nullptr ? in_.health->timeout() : -1);
  }

  /// False after `ms` without events. With EINTR (stopped and continued) nothing has happened.
  static bool poll_all(std::vector<pollfd>& polls, int ms) {
    const int events = ::poll(polls.data(), polls.size(), ms);
    if (events < 0) {
      for (pollfd& entry : polls) {
        entry.revents = 0;
      }
    }
    return events != 0;
  }

  void handle_control() {
    sandbox::StageReport report;
    int fd = -1;
    const long got = sys::raw::receive(control_.get(), &report, sizeof report, &fd);
    sys::Fd master(fd);
    if (got != sizeof report) {
      control_.reset();  // closed at execve: the command runs
      mark("command runs");
      if (in_.on_running && ready_ && !failure_) {
        in_.on_running();
      }
      if (in_.health != nullptr && ready_ && !failure_) {
        in_.health->begin();
      }
      if (in_.joined < 0) {
        sweep_containers(in_.root);
        sweep_volumes(in_.root.path());
      }
      settling_ = true;
      return;
    }
    if (report.step != sandbox::Step::kNone) {
      failure_ = sandbox::explain_step(in_.plan, report);
      return;
    }
    mark_report(report);
    ready_ = true;
    if (master) {
      if (Result<void> connected = streams_.connect_terminal(std::move(master)); !connected) {
        end_sandbox(std::move(connected).error());
      }
    }
  }

  void mark_report(const sandbox::StageReport& report) {
    if (in_.timings != nullptr) {
      in_.timings->mark("init: network made", report.network_ns);
      in_.timings->mark("init: id maps seen", report.maps_ns);
      in_.timings->mark("init: root mounted", report.root_ns);
      in_.timings->mark("init: mounts done", report.mounts_ns);
      in_.timings->mark("init: pivoted and limited", report.ready_ns);
    }
  }

  void handle_signals() {
    while (const int signal = signals_->next()) {
      switch (signal) {
        case SIGCHLD:
        case SIGCONT:
        case SIGPIPE:  // about a write of ours
          break;
        case SIGWINCH:
          streams_.resize();
          break;
        default:
          forward(signal);
          break;
      }
    }
  }

  void forward(int signal) {
    if (in_.on_end_wanted && asks_for_end(signal)) {
      in_.on_end_wanted();
    }
    if (!ready_) {
      // Nobody inside could act on it yet: the user wants us to stop.
      init_.kill();
      early_signal_ = signal;
      return;
    }
    (void)sys::signal_process(init_.pidfd(), signal);  // gone: we are about to notice
  }

  void note_end() {
    const Result<sys::ExitStatus> status = init_.wait();
    exit_code_ = early_signal_ != 0 ? 128 + early_signal_ : status ? status->shell_code() : 125;
    mark("command ended");
    if (control_) {
      read_last_report();
    }
    if (!ready_ && !failure_ && early_signal_ == 0) {
      failure_ = sandbox::explain_step(in_.plan, {});
    }
  }

  /// The report and the end may come at once.
  void read_last_report() {
    pollfd entry{control_.get(), POLLIN, 0};
    while (control_ && ::poll(&entry, 1, 0) == 1) {
      handle_control();
    }
  }

  void watch_helpers(bool fs_ended, bool net_ended) {
    if (fs_ended) {
      const Result<sys::ExitStatus> status = fs_.wait();
      // Code 0: unmounted, which happens just before init can be seen to have ended. With a million inodes to be dropped in
      // between, that takes seconds.
      if (!status || status->shell_code() != 0) {
        end_sandbox(gone("file system process", status));
      }
    }
    if (net_ended) {
      const Result<sys::ExitStatus> status = net_.wait();
      if (!ends_within(init_.pidfd(), 0)) {
        end_sandbox(gone("network process", status));
      }
    }
  }

  [[nodiscard]] Error gone(const char* who) const {
    return Error::make(ErrorCode::kSystem, "go on", in_.plan.id.substr(0, 12),
                       fmt::format("the {} of the sandbox is gone", who));
  }
  [[nodiscard]] Error gone(const char* who, const Result<sys::ExitStatus>& status) const {
    Error error = gone(who);
    error.reason += ": " + (status ? how_it_ended(*status) : std::string("unknown"));
    return error;
  }

  /// Also when init has ended: perhaps of what the command could not read any more.
  void watch_image_server() {
    if (!in_.shared) {
      return;
    }
    pollfd entry{in_.shared->connection.get(), POLLIN, 0};
    if (::poll(&entry, 1, 0) == 1) {  // it says nothing more: it hung up
      end_sandbox(gone("image server"));
      in_.shared.reset();
    }
  }

  void end_sandbox(Error why) {
    if (!failure_) {
      failure_ = std::move(why);
    }
    init_.kill();
  }

  void finish() {
    streams_.stop_input();
    drain();
    if (streams_.raw_terminal()) {
      streams_.raw_terminal()->restore();
    }
    if (fs_.running()) {
      const bool useless = shares_ || (in_.remove && !in_.tell_requests);
      if (useless || !ends_within(fs_.pidfd(), kGraceMs)) {
        fs_.kill();
      }
      (void)fs_.wait();  // it is our child and ends: killed, or by itself
    }
    lifeline_.reset();
    in_.shared.reset();
    // Closing the last descriptor of a tap takes the kernel 30 ms: the network process ends without us.
    net_.release();
    mark("cleaned up");
  }

  /// What the sandbox wrote before its end may still be on its way.
  void drain() {
    while (!streams_.drained()) {
      std::vector<pollfd> polls;
      streams_.add_poll(polls);
      if (::poll(polls.data(), polls.size(), kGraceMs) == 0) {
        return;  // our reader does not read, and the sandbox is gone
      }
      streams_.handle(polls);
    }
  }

  SupervisorInput in_;
  const bool shares_ = in_.shared.has_value();
  sandbox::PreparedPlan prepared_;
  std::unique_ptr<RootFileSystem> file_system_;  // until its process is there
  Streams streams_;
  std::optional<sys::SignalFd> signals_;
  sys::Child init_;
  sys::Child fs_;
  sys::Child net_;
  sys::Fd control_;
  sys::Fd fuse_channel_;
  sys::Fd net_channel_;
  sys::Fd lifeline_;
  bool ready_ = false;
  bool settling_ = false;  // the command runs, and what started it is still in our page tables
  int early_signal_ = 0;
  int exit_code_ = 125;
  std::optional<Error> failure_;
};

}  // namespace

bool asks_for_end(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

Result<int> supervise(SupervisorInput input) { return Supervisor(std::move(input)).run(); }

}  // namespace sbx::runtime
