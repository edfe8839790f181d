#include "base/log.hpp"
#include "net/slirp.hpp"
#include "runtime/roles.hpp"
#include "sys/channel.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"

namespace sbx::runtime {
namespace {

Result<void> serve(const NetRole& role) {
  net::SlirpRequest request;
  request.unprivileged_id = role.unprivileged_id;
  request.death_fds = {role.lifeline};
  request.keep_fds = {role.channel};
  net::SlirpServer server = SBX_TRY(net::SlirpServer::prepare(request));
  return server.serve(SBX_TRY(sys::receive_fd(role.channel, "the network device")));
}

}  // namespace

void run_net_role(const NetRole& role) {
  role.title.overwrite(("sbx: net " + role.name).c_str());
  (void)sys::raw::set_process_name("sbx: net");
  sys::reset_signals_for_role();
  const Result<void> served = serve(role);
  if (!served) {
    log::debug("network process: {}", served.error().message());
  }
  sys::raw::exit(served ? 0 : 1);
}

}  // namespace sbx::runtime
