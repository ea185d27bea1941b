package collector

import (
	"context"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/xprocessor"
)

// kind is one signal, and how the factory's processor of it is made.
type kind interface {
	signal() otelwasm.Signal
	stability(processor.Factory) component.StabilityLevel
	start(parts) (component.Component, process, error)
}

var kinds = []kind{
	form[processor.Traces, ptrace.Traces]{
		otelwasm.Traces,
		processor.Factory.TracesStability,
		func(of parts, to next) (processor.Traces, error) {
			return of.factory.CreateTraces(context.Background(), of.settings, of.config, to)
		},
		new(ptrace.ProtoUnmarshaler).UnmarshalTraces,
		processor.Traces.ConsumeTraces,
	},
	form[processor.Metrics, pmetric.Metrics]{
		otelwasm.Metrics,
		processor.Factory.MetricsStability,
		func(of parts, to next) (processor.Metrics, error) {
			return of.factory.CreateMetrics(context.Background(), of.settings, of.config, to)
		},
		new(pmetric.ProtoUnmarshaler).UnmarshalMetrics,
		processor.Metrics.ConsumeMetrics,
	},
	form[processor.Logs, plog.Logs]{
		otelwasm.Logs,
		processor.Factory.LogsStability,
		func(of parts, to next) (processor.Logs, error) {
			return of.factory.CreateLogs(context.Background(), of.settings, of.config, to)
		},
		new(plog.ProtoUnmarshaler).UnmarshalLogs,
		processor.Logs.ConsumeLogs,
	},
	form[xprocessor.Profiles, pprofile.Profiles]{
		otelwasm.Profiles,
		profilesStability,
		func(of parts, to next) (xprocessor.Profiles, error) {
			return of.factory.(xprocessor.Factory).CreateProfiles(
				context.Background(), of.settings, of.config, to,
			)
		},
		new(pprofile.ProtoUnmarshaler).UnmarshalProfiles,
		xprocessor.Profiles.ConsumeProfiles,
	},
}

func profilesStability(factory processor.Factory) component.StabilityLevel {
	if with, ok := factory.(xprocessor.Factory); ok {
		return with.ProfilesStability()
	}
	return component.StabilityLevelUndefined
}

// form is how processors of one signal are made and given decoded batches.
type form[Made component.Component, Data any] struct {
	of      otelwasm.Signal
	level   func(processor.Factory) component.StabilityLevel
	create  func(parts, next) (Made, error)
	decode  func([]byte) (Data, error)
	consume func(Made, context.Context, Data) error
}

func (f form[Made, Data]) signal() otelwasm.Signal { return f.of }

func (f form[Made, Data]) stability(factory processor.Factory) component.StabilityLevel {
	return f.level(factory)
}

// start makes a processor, starts it, and returns what is done with each payload.
func (f form[Made, Data]) start(of parts) (component.Component, process, error) {
	sent := &outlet{signal: f.of, emit: of.emit}
	made, err := f.create(of, next{sent})
	if err != nil {
		return nil, nil, err
	}
	if err := made.Start(context.Background(), host{}); err != nil {
		return nil, nil, err
	}
	return made, func(payload []byte) (otelwasm.Verdict, error) {
		data, err := f.decode(payload)
		if err != nil {
			return otelwasm.Verdict{}, otelwasm.Permanentf(
				"the payload is no request of %s: %v", f.of, err,
			)
		}
		return sent.during(payload, func() error {
			return f.consume(made, context.Background(), data)
		})
	}, nil
}

// host is what a processor finds around itself: no extensions.
type host struct{}

func (host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{}
}
