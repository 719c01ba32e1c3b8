// What the control socket offers: one table of method, path, who may ask, and the function that
// answers. Each function translates, calls the engine, and answers. Thread-safe.
//
//   GET    /status                     everything `amphora status` shows
//   POST   /stop                       asks the daemon to drain and end
//   GET    /mounts                     POST {source, directory, options}; DELETE {directory, force}
//   GET    /volumes                    POST {name}
//   GET    /volumes/V                  DELETE
//   GET    /volumes/V/buckets          POST {name}
//   GET    /volumes/V/buckets/B        DELETE
//   POST   /volumes/V/links            {name, target_volume, target_bucket}
//   POST   /s3/secret                  {user}: the access key of `user`, of the caller when absent
//   DELETE /s3/secret                  {user}
//   POST   /browse                     {volume, bucket, url, expires_s}: the address of a page
//   POST   /check, /gc                 long work, in lines
//   GET    /dump                       every record, in lines
#pragma once

#include "cli/control/protocol.h"
#include "mount/session.h"

namespace amphora::cli {

class Daemon;

ControlReply Route(Daemon& daemon, const ControlRequest& request, const LineSink& lines);

// One function per route, in the file named after its subject.
ControlReply GetStatus(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply PostStop(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply GetMounts(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply PostMount(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply DeleteMount(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply ListVolumes(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply CreateVolume(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply ShowVolume(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply DeleteVolume(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply ListBuckets(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply CreateBucket(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply CreateLink(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply ShowBucket(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply SetBucket(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply DeleteBucket(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply PostBrowse(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply GetSecret(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply RevokeSecret(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply PostCheck(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply PostGc(Daemon& daemon, const ControlRequest& request, const LineSink& lines);
ControlReply GetDump(Daemon& daemon, const ControlRequest& request, const LineSink& lines);

// A mount as status and mount show it.
Json ToJson(const mount::MountFigures& figures);

}  // namespace amphora::cli
