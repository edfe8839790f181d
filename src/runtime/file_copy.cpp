#include "runtime/file_copy.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "copy/receiver.hpp"
#include "copy/sender.hpp"
#include "runtime/inside.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/splice.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {
namespace {

constexpr std::string_view kStream = "-";

/// The container's tree as a process that is in there sees it.
Result<copy::Anchor> anchor_inside() {
  return copy::Anchor::tree(SBX_TRY(sys::open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY)));
}

/// What a container has by itself is taken only where it is named.
std::vector<std::pair<dev_t, ino_t>> own_mounts() {
  std::vector<std::pair<dev_t, ino_t>> out;
  for (const char* path : {"/dev", "/proc", "/sys"}) {
    if (const Result<struct stat> st = sys::stat_at(AT_FDCWD, path)) {
      out.emplace_back(st->st_dev, st->st_ino);
    }
  }
  return out;
}

/// The error of the side that failed first: the other one only saw that its pipe was cut.
Result<void> first_failure(Result<void> sent, Result<void> received) {
  const bool only_cut = !sent && sent.error().sys_errno == EPIPE;
  if (!sent && !(only_cut && !received)) {
    return sent;
  }
  return received;
}

Result<void> send_all(const copy::Anchor& anchor, const std::string& path,
                      const copy::SendOptions& options, int out) {
  layer::TarWriter archive(out, "the archive");
  SBX_TRY(copy::send_path(anchor, path, options, archive));
  return archive.finish();
}

Result<InsideProcess> start_receiver(const FileCopy& copy, const std::string& id, int in) {
  copy::ReceiveOptions options;
  options.into_directory = copy.outside == kStream;
  // An archive says whose its files are, and who made it knew that.
  options.owners = copy.owners || options.into_directory;
  options.xattrs = true;
  options.special = true;
  return InsideProcess::start({copy.data_root, id, in, [copy, options, in]() -> Result<void> {
                                 const copy::Anchor anchor = SBX_TRY(anchor_inside());
                                 return copy::receive(in, anchor, copy.inside, options);
                               }});
}

Result<InsideProcess> start_sender(const FileCopy& copy, const std::string& id, int out) {
  return InsideProcess::start({copy.data_root, id, out, [copy, out]() -> Result<void> {
                                 const copy::Anchor anchor = SBX_TRY(anchor_inside());
                                 copy::SendOptions options;
                                 options.follow = copy.follow;
                                 options.xattrs = copy.outside == kStream;
                                 options.left_out = own_mounts();
                                 return send_all(anchor, copy.inside, options, out);
                               }});
}

Error terminal(const char* op, const char* stream) {
  return Error::make(ErrorCode::kInvalidArgument, op, stream, "it is a terminal");
}

/// Nobody reads any more: a write is an error to tell, not our end.
class NoPipeSignal {
 public:
  NoPipeSignal() : before_(::signal(SIGPIPE, SIG_IGN)) {}
  ~NoPipeSignal() { (void)::signal(SIGPIPE, before_); }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sighandler_t before_;
};

}  // namespace

Result<void> copy_in(const FileCopy& copy) {
  const std::string id = SBX_TRY(find_container(copy.data_root, copy.container)).state.id;
  if (copy.outside == kStream) {
    if (sys::is_terminal(STDIN_FILENO)) {
      return fail(terminal("read an archive from", "standard input"));
    }
    return SBX_TRY(start_receiver(copy, id, STDIN_FILENO)).finish();
  }
  // Before anything is made for it.
  (void)SBX_TRY(copy::Anchor::host().open(
      copy.outside,
      O_PATH | (copy.follow || copy::names_directory(copy.outside) ? 0 : O_NOFOLLOW)));
  sys::Pipe pipe = SBX_TRY(sys::make_pipe());
  sys::widen_pipe(pipe.writer.get());
  InsideProcess inside = SBX_TRY(start_receiver(copy, id, pipe.reader.get()));
  pipe.reader.reset();
  const NoPipeSignal no_signal;
  copy::SendOptions options;
  options.follow = copy.follow;
  options.xattrs = true;
  Result<void> sent = send_all(copy::Anchor::host(), copy.outside, options, pipe.writer.get());
  pipe.writer.reset();
  return first_failure(std::move(sent), inside.finish());
}

Result<void> copy_out(const FileCopy& copy) {
  const std::string id = SBX_TRY(find_container(copy.data_root, copy.container)).state.id;
  if (copy.outside == kStream) {
    if (sys::is_terminal(STDOUT_FILENO)) {
      return fail(terminal("write an archive to", "standard output"));
    }
    return SBX_TRY(start_sender(copy, id, STDOUT_FILENO)).finish();
  }
  sys::Pipe pipe = SBX_TRY(sys::make_pipe());
  sys::widen_pipe(pipe.writer.get());
  InsideProcess inside = SBX_TRY(start_sender(copy, id, pipe.writer.get()));
  pipe.writer.reset();
  copy::ReceiveOptions options;
  options.owners = copy.owners;
  Result<void> received =
      copy::receive(pipe.reader.get(), copy::Anchor::host(), copy.outside, options);
  pipe.reader.reset();
  return first_failure(inside.finish(), std::move(received));
}

}  // namespace sbx::runtime
