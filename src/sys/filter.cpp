#include "sys/filter.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"

namespace sbx::sys {
namespace {

using Clock = std::chrono::steady_clock;

/// The input as a file that has no name, at its beginning.
Result<Fd> in_memory(std::string_view input) {
  Fd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd) {
    return fail(Error::system("make a file in memory", ""));
  }
  SBX_TRY(write_full(fd.get(), input, "standard input"));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return fail(Error::system("rewind", "standard input"));
  }
  return fd;
}

class Reader {
 public:
  Reader(const std::string& name, const FilterLimits& limits)
      : name_(name), limits_(limits), deadline_(Clock::now() + limits.time) {}

  /// Until the program has ended and said all; a process that it left behind may hold the pipe open for ever.
  Result<std::string> read(const Child& child, int pipe) {
    std::string out;
    bool ended = false;
    for (;;) {
      std::array<pollfd, 2> waiting{pollfd{pipe, POLLIN, 0}, pollfd{child.pidfd(), POLLIN, 0}};
      const int ready = ::poll(waiting.data(), ended ? 1 : 2, ended ? 0 : milliseconds_left());
      if (ready < 0 && errno != EINTR) {
        return fail(Error::system("wait for", name_));
      }
      if (ready == 0) {
        return ended ? Result<std::string>(std::move(out)) : too_slow();
      }
      ended = ended || waiting[1].revents != 0;
      if (ready > 0 && waiting[0].revents != 0 && !SBX_TRY(take(pipe, out))) {
        return out;
      }
    }
  }

  /// The end of a program that has closed its standard output.
  Result<ExitStatus> finish(Child& child) {
    pollfd waiting{child.pidfd(), POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&waiting, 1, milliseconds_left());
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
      return too_slow();
    }
    return child.wait();
  }

 private:
  [[nodiscard]] int milliseconds_left() const {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(0, left.count()));
  }
  [[nodiscard]] Unexpected<Error> too_slow() const {
    return fail(
        Error::make(ErrorCode::kLimit, "run", name_,
                    fmt::format("it has not ended after {} s", limits_.time.count() / 1000)));
  }
  /// False at the end.
  Result<bool> take(int pipe, std::string& out) const {
    std::array<std::byte, 4096> buffer{};
    const std::size_t count = SBX_TRY(read_available(pipe, buffer, name_));
    out.append(reinterpret_cast<const char*>(buffer.data()), count);
    if (out.size() > limits_.output) {
      return fail(Error::make(ErrorCode::kLimit, "run", name_,
                              fmt::format("it says more than {} bytes", limits_.output)));
    }
    return count > 0;
  }

  const std::string& name_;
  const FilterLimits& limits_;
  Clock::time_point deadline_;
};

}  // namespace

Result<FilterResult> run_filter(const std::vector<std::string>& argv, std::string_view input,
                                const FilterLimits& limits) {
  const Fd in = SBX_TRY(in_memory(input));
  Pipe out = SBX_TRY(make_pipe());
  Reader reader(argv[0], limits);
  Child child = SBX_TRY(Child::spawn(argv, out.writer.get(), -1, in.get()));
  out.writer.reset();
  FilterResult result;
  result.output = SBX_TRY(reader.read(child, out.reader.get()));
  result.status = SBX_TRY(reader.finish(child));
  return result;
}

}  // namespace sbx::sys
