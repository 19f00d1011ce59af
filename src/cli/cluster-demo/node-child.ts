// A node of the demo cluster: `meridian`, but that it ends with the process that started it, whatever ended that.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Being told of the end is no reason to go on.
process.channel?.unref();
await import('../meridian.ts');
